// Judges a model in the midst of a training, by the figures of COCO whatever the data's format.
import type { Bundle } from "../model/bundle.ts";
import { createDetector } from "../model/detector.ts";
import { openOnnxCpu } from "../model/engines/onnx.ts";
import { evaluate, type EvaluateOptions, type Evaluation } from "./evaluate.ts";
import type { Dataset } from "./truth.ts";

const BATCH = 8;

export interface JudgeOptions {
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Labels with a class that each stands for, beside that of the same name. */
  readonly also?: EvaluateOptions["also"];
}

/** Fails with INTERRUPTED. */
export async function judge(bundle: Bundle, validation: Dataset, options: JudgeOptions): Promise<Evaluation> {
  const { threads, signal, also } = options;
  const engine = await openOnnxCpu(bundle, { threads, precision: "fp32" });
  const detector = createDetector(bundle, { engine, reason: "it judges" }, { maxBatch: BATCH });
  try {
    return await evaluate(detector, validation, { signal, also });
  } finally {
    await detector.close();
  }
}
