// The engines that the contract is held over, each with how it is opened here and why it may be missing.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { gpuDevices } from "../../../src/model/engines/gpu-devices.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { openOnnxWebgpu } from "../../../src/model/engines/onnx-gpu.ts";
import { openTfjsCpu, openTfjsGpu, openTfjsWasm } from "../../../src/model/engines/tfjs.ts";
import { loadWasm } from "../../../src/model/engines/tfjs-load.ts";
import { testCacheDir } from "../../support/model.ts";
import { findTensorFlow } from "../support/tensorflow.ts";
import type { EngineCase } from "./contract.ts";

export const ONNX_CPU: EngineCase = { name: "onnx:cpu", open: openOnnxCpu, tolerance: 1e-4 };

/** On this machine's GPU, or else on SwiftShader, which is Chromium's GPU in software: correct, and seconds a picture. */
export function onnxWebgpu(): EngineCase {
  const missing = gpuDevices().any ? undefined : useSwiftShader();
  return {
    name: "onnx:webgpu",
    open: openOnnxWebgpu,
    tolerance: 1e-4,
    sharedThreads: 1,
    slow: true,
    ...(missing !== undefined && { missing }),
  };
}

/** Tells this process's Vulkan of SwiftShader, or why it cannot. */
function useSwiftShader(): string | undefined {
  const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
  if (!existsSync(driver)) return "needs a GPU, or SwiftShader of Debian's chromium-common";
  const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
  if (!folders.some((folder) => existsSync(`${folder}/libvulkan.so.1`))) return "needs libvulkan1";
  process.env["VK_ICD_FILENAMES"] = driver;
  return undefined;
}

export function tfjsWasm(): EngineCase {
  const countTensors = (): number => loadWasm().memory().numTensors;
  return { name: "tfjs:wasm", open: openTfjsWasm, tolerance: 1e-4, sharedThreads: 1, leakBatch: 1, countTensors };
}

/** A process has TensorFlow on the CPU or on a GPU: ask for one of them. */
export function tfjsCpu(): EngineCase {
  const { tf, missing } = findTensorFlow("tfjs:cpu");
  return {
    name: "tfjs:cpu",
    open: (network, options) => openTfjsCpu(network, { ...options, cacheDir: testCacheDir() }),
    tolerance: 1e-4,
    sharedThreads: Number(process.env["TF_NUM_INTRAOP_THREADS"] ?? availableParallelism()),
    leakBatch: 1,
    countTensors: () => tf!.memory().numTensors,
    ...(missing !== undefined && { missing }),
  };
}

export function tfjsGpu(): EngineCase {
  const { tf, usesGpu, missing = usesGpu ? undefined : "TensorFlow found no GPU" } = findTensorFlow("tfjs:gpu");
  return {
    name: "tfjs:gpu",
    open: (network, options) => openTfjsGpu(network, { ...options, cacheDir: testCacheDir() }),
    tolerance: 1e-4,
    sharedThreads: 1,
    countTensors: () => tf!.memory().numTensors,
    ...(missing !== undefined && { missing }),
  };
}
