// Pictures in, detections out: sample, run the engine, post-process. Knows no stream.
import type { Detection, Picture } from "./detection.ts";

/** What the detector did with one batch. */
export interface BatchResult {
  /** For each picture, in the order given. */
  readonly detections: Detection[][];
  /** Milliseconds for the whole batch, sampling and post-processing included. */
  readonly inferMs: number;
}

/** What a detector is, for `/health`, `hello` and logs. */
export interface DetectorInfo {
  readonly model: { readonly name: string; readonly version: string };
  readonly labels: readonly string[];
  /** `onnx:cpu`, with why it was chosen and how it runs. */
  readonly engine: string;
  readonly reason: string;
}

/** Pixels in, detections out; in this thread or in workers. */
export interface Detector {
  readonly info: DetectorInfo;
  /** How many calls of `detect` are worked on at the same time; further ones wait in line. */
  readonly slots: number;
  readonly maxBatch: number;
  /** At most `maxBatch` pictures of any sizes. Pictures in shared memory are read where they lie, others are copied. */
  detect(pictures: readonly Picture[]): Promise<BatchResult>;
  /** Runs each batch size once, so that no client pays for the first. */
  warmUp(): Promise<void>;
  /** Idempotent. Calls of `detect` that have not been answered fail with ENGINE_CLOSED. */
  close(): Promise<void>;
}
