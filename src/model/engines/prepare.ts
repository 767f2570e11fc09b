// What a process has to do before an engine is opened in any of its threads.
import { availableParallelism } from "node:os";
import type { EngineOptions } from "./engine.ts";
import { fetchOnnxRuntime, importOnnxRuntime } from "./onnx-runtime.ts";
import { autoCandidates, type EngineName, needsOnnxRuntime } from "./open.ts";

/**
 * Call it in the main thread: native libraries do not see what a worker thread writes into its environment, and one that is
 * unloaded with the last worker that has it cannot be loaded again, or crashes. So the main thread has it too. Where it cannot be
 * loaded the workers say what is wrong. Fetches ONNX Runtime where an engine needs it and it is not there; fails as `fetchOnnxRuntime`.
 */
export async function prepareProcess(engine: EngineName, options: EngineOptions): Promise<void> {
  const names = engine === "auto" ? await autoCandidates(options) : [engine];
  if (names.includes("onnx:cuda")) keepAllDigits();
  if (names.some(needsOnnxRuntime)) {
    await fetchOnnxRuntime(options);
    await importOnnxRuntime(options.cacheDir).catch(() => undefined);
  }
  for (const name of names) {
    if (name !== "tfjs:cpu" && name !== "tfjs:gpu") continue;
    setTensorFlowVariables(name, options);
    const { loadTensorFlow } = await import("./tfjs-load.ts");
    try {
      loadTensorFlow(options.cacheDir);
    } catch {}
  }
}

/**
 * TensorFlow reads these once a process, when it is loaded. All its engines in a process share one pool of threads, whose size is
 * that of the first. What the user has set already stays.
 */
export function setTensorFlowVariables(engine: "tfjs:cpu" | "tfjs:gpu", { threads }: EngineOptions): void {
  const env = process.env;
  env["TF_NUM_INTRAOP_THREADS"] ??= `${threads || availableParallelism()}`;
  // Errors only. What newer TensorFlow says of oneDNN comes before it reads this, and cannot be kept back.
  env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  if (engine === "tfjs:gpu") {
    keepAllDigits();
    // It would take nearly all of the GPU's memory, and keep it after the engine is closed.
    env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";
  }
  // TensorFlow takes a GPU wherever it finds one.
  if (engine === "tfjs:cpu") env["CUDA_VISIBLE_DEVICES"] ??= "-1";
}

/** The tensor cores of newer GPUs would round factors to 10 bits: three digits of a logit, where two engines agree to five. */
function keepAllDigits(): void {
  process.env["NVIDIA_TF32_OVERRIDE"] ??= "0";
}
