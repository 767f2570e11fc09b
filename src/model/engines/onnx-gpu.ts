// The engines on ONNX Runtime and a GPU: any GPU through WebGPU, NVIDIA's through CUDA.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { compileOnnx } from "../compile/onnx.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";
import { importOnnxRuntime, nativeFolder } from "./onnx-runtime.ts";
import { engineOnSession } from "./onnx-session.ts";
import { refuseInt8 } from "./precision.ts";

// The package has to be installed for it: what multibox fetches by itself has no CUDA.
const INSTALL =
  "npm install --ignore-scripts onnxruntime-node && node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12";

/**
 * Opens `onnx:webgpu`: Vulkan on Linux, Direct3D 12 on Windows, Metal on macOS. Fails with ENGINE_MISSING where ONNX Runtime has no
 * WebGPU or that finds no GPU. All WebGPU of a process is one device, which two threads must not use at the same time.
 */
export async function openOnnxWebgpu(network: Network, options: EngineOptions): Promise<Engine> {
  const ort = await importOnnxRuntime(options.cacheDir);
  if (!ort.listSupportedBackends().some(({ name }) => name === "webgpu")) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      `onnxruntime-node has no WebGPU on ${process.platform}-${process.arch}.`,
      "Use another engine: `onnx:cpu` runs here.",
    );
  }
  return openOnGpu("onnx:webgpu", "webgpu", network, options, (cause) => {
    const isAbsent = /adapter/i.test(String(cause));
    return new MultiboxError(
      "ENGINE_MISSING",
      isAbsent ? "WebGPU finds no GPU that it can use." : `WebGPU cannot run the network: ${sentenceOf(cause)}.`,
      process.platform === "linux"
        ? "It needs Vulkan: the package libvulkan1 and the GPU's own driver, and in a container the GPU's devices."
        : "Install the GPU's current driver.",
      { cause },
    );
  });
}

/** Opens `onnx:cuda`. Fails with ENGINE_MISSING where ONNX Runtime's CUDA files, the CUDA libraries or the GPU are not there. */
export async function openOnnxCuda(network: Network, options: EngineOptions): Promise<Engine> {
  await importOnnxRuntime(options.cacheDir);
  if (!hasCudaFiles(options.cacheDir)) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      `onnxruntime-node has no CUDA on ${process.platform}-${process.arch}: its CUDA files are not installed.`,
      process.platform === "linux" && process.arch === "x64"
        ? `Run \`${INSTALL}\`, which downloads them; CUDA 12 and cuDNN 9 are needed besides.`
        : "They exist for 64-bit Linux on Intel and AMD processors; use `onnx:webgpu` here.",
    );
  }
  return openOnGpu("onnx:cuda", "cuda", network, options, (cause) => {
    return new MultiboxError(
      "ENGINE_MISSING",
      `CUDA cannot be used: ${sentenceOf(cause)}.`,
      "It needs an NVIDIA GPU with its driver, and the libraries of CUDA 12 and cuDNN 9 on LD_LIBRARY_PATH: " +
        "`ldd` on libonnxruntime_providers_cuda.so names the missing ones.",
      { cause },
    );
  });
}

/** Whether ONNX Runtime's CUDA files, which are installed apart, are there. */
export function hasCudaFiles(cacheDir?: string): boolean {
  const folder = nativeFolder(cacheDir);
  return folder !== undefined && existsSync(join(folder, "libonnxruntime_providers_cuda.so"));
}

async function openOnGpu(
  name: "onnx:webgpu" | "onnx:cuda",
  provider: "webgpu" | "cuda",
  { graph, weights }: Network,
  options: EngineOptions,
  explain: (cause: unknown) => MultiboxError,
): Promise<Engine> {
  refuseInt8(name, options);
  const ort = await importOnnxRuntime(options.cacheDir);
  const session = await ort.InferenceSession.create(compileOnnx(graph, weights), {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  }).catch((cause: unknown) => {
    throw explain(cause);
  });
  // A GPU is the faster the more pictures it has at once.
  return engineOnSession(ort, session, graph, { name, description: `${name}, 1 thread`, part: Infinity });
}
