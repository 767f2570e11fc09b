// What a process has to do before an engine is opened in any of its threads.
import { availableParallelism } from "node:os";
import type { EngineOptions } from "./engine.ts";
import type { EngineName } from "./open.ts";

/** Call it in the main thread: native libraries do not see what a worker thread writes into its environment. */
export async function prepareProcess(engine: EngineName, options: EngineOptions): Promise<void> {
  if (engine === "tfjs:cpu" || engine === "tfjs:gpu") {
    setTensorFlowVariables(engine, options);
  } else if (engine !== "tfjs:wasm") {
    // The library is unloaded with the last worker that has it, and cannot be loaded again, unless the main thread has it too.
    // The workers say what is wrong where it cannot be loaded.
    await import("onnxruntime-node").catch(() => undefined);
  }
}

/**
 * TensorFlow reads these once a process, when it is loaded. All its engines in a process share one pool of threads, whose size is
 * that of the first. What the user has set already stays.
 */
export function setTensorFlowVariables(engine: "tfjs:cpu" | "tfjs:gpu", { threads }: EngineOptions): void {
  const env = process.env;
  env["TF_NUM_INTRAOP_THREADS"] ??= `${threads || availableParallelism()}`;
  // Errors only; and its notice that it uses oneDNN, which it does by itself, comes unless it is told to.
  env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  env["TF_ENABLE_ONEDNN_OPTS"] ??= "1";
  // The tensor cores of newer GPUs would round factors to 10 bits: three digits of a logit, where two engines agree to five.
  if (engine === "tfjs:gpu") env["NVIDIA_TF32_OVERRIDE"] ??= "0";
  // TensorFlow takes a GPU wherever it finds one.
  if (engine === "tfjs:cpu") env["CUDA_VISIBLE_DEVICES"] ??= "-1";
}
