// Pictures in, detections out: sample, run the engine, post-process. Knows no stream.
import { MultiboxError } from "../errors.ts";
import type { Bundle } from "./bundle.ts";
import type { Detection, Picture } from "./detection.ts";
import type { Floor } from "./engines/engine.ts";
import type { OpenedEngine } from "./engines/open.ts";
import { reportedLabels } from "./labels.ts";
import { choosePostProcess, createPostProcess } from "./post-process.ts";
import { createSampler } from "./sample.ts";
import { boxCount } from "./default-boxes.ts";
import type { PostProcessSpec, SsdSpec } from "./spec.ts";

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
  /** `onnx:cpu, 2 threads` */
  readonly engine: string;
  /** Why this engine. */
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

export interface DetectorOptions {
  readonly maxBatch: number;
  /** Detections below this score are not reported; the spec's own threshold when absent. */
  readonly minScore?: number | undefined;
  /** What this run does otherwise than the spec says; `minScore` beside it wins. */
  readonly postProcess?: Partial<PostProcessSpec> | undefined;
}

/** What boxes have to reach for a detector with these options to report them; undefined where that may be any box. */
export function floorOf(spec: SsdSpec, options: Omit<DetectorOptions, "maxBatch">): Floor | undefined {
  const { minScore } = settingsOf(spec, options);
  return spec.labels[0] === null && minScore > 0 ? { minScore, scores: spec.scores } : undefined;
}

function settingsOf(spec: SsdSpec, { postProcess, minScore }: Omit<DetectorOptions, "maxBatch">): PostProcessSpec {
  return choosePostProcess(spec, { ...postProcess, minScore: minScore ?? postProcess?.minScore });
}

/** A detector in this thread, which it blocks while it runs: see detector-pool.ts for the one that servers use. */
export function createDetector(
  { spec }: Pick<Bundle, "spec">,
  { engine, reason }: Omit<OpenedEngine, "name">,
  options: DetectorOptions,
): Detector {
  const { maxBatch } = options;
  const sample = createSampler(spec.input);
  const postProcess = createPostProcess(spec, settingsOf(spec, options));
  const inputBytes = spec.input.width * spec.input.height * 3;
  const batch = new Uint8Array(maxBatch * inputBytes);
  const boxes = boxCount(spec);
  const detectNow = async (pictures: readonly Picture[]): Promise<BatchResult> => {
    const start = performance.now();
    for (const [i, picture] of pictures.entries()) sample(picture, batch, i * inputBytes);
    const { offsets, logits } = await engine.run(batch, pictures.length);
    const detections = pictures.map(({ width, height }, i) => {
      const heads = { offsets, offsetsAt: i * boxes * 4, logits, logitsAt: i * boxes * spec.labels.length };
      return postProcess(heads, width, height);
    });
    return { detections, inferMs: performance.now() - start };
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    info: {
      model: { name: spec.name, version: spec.version },
      labels: reportedLabels(spec.labels),
      engine: engine.description,
      reason,
    },
    slots: 1,
    maxBatch,
    async detect(pictures) {
      if (pictures.length > maxBatch) {
        throw new MultiboxError("BATCH_TOO_LARGE", `A batch has at most ${maxBatch} pictures, not ${pictures.length}.`);
      }
      // Runtimes refuse a batch of nothing.
      if (pictures.length === 0) return { detections: [], inferMs: 0 };
      // One batch at a time has the buffer and the engine.
      const result = last.then(() => detectNow(pictures));
      last = result.catch(() => undefined);
      return await result;
    },
    async warmUp() {
      for (const n of warmUpSizes(maxBatch)) await engine.run(batch, n);
    },
    async close() {
      await engine.close();
    },
  };
}

/** 1, 2, 4, 8 and so on, and the largest batch. */
function warmUpSizes(maxBatch: number): number[] {
  const sizes: number[] = [];
  for (let n = 1; n < maxBatch; n *= 2) sizes.push(n);
  return [...sizes, maxBatch];
}
