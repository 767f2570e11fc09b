// The engines that the contract is held over, each with how it is opened here and why it may be missing.
import { availableParallelism } from "node:os";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { openTfjsCpu, openTfjsGpu, openTfjsWasm } from "../../../src/model/engines/tfjs.ts";
import { loadWasm } from "../../../src/model/engines/tfjs-load.ts";
import { testCacheDir } from "../../support/model.ts";
import { findTensorFlow } from "../support/tensorflow.ts";
import type { EngineCase } from "./contract.ts";

export const ONNX_CPU: EngineCase = { name: "onnx:cpu", open: openOnnxCpu, tolerance: 1e-4 };

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
