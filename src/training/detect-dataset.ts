// Runs a detector over the pictures of a data set; no more of them are in memory than go through the network at once.
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { readPicture } from "./pictures/read-picture.ts";
import type { Category, DataPicture, Found } from "./truth.ts";

export interface DetectDatasetOptions {
  /** The classes that a label stands for; what has none is not kept. */
  readonly categoriesOf: ReadonlyMap<string, readonly Category[]>;
  /** Ends the run between two batches, with INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Milliseconds a picture. */
export interface Speed {
  /** Reading the file and decoding it, with as many threads as the machine has cores. */
  readonly decodeMs: number;
  /** Sampling, network and post-processing. */
  readonly detectMs: number;
  /** Pictures that went through the network at once. */
  readonly batch: number;
}

export interface DatasetRun {
  /** In the order of the pictures, best score first within one. */
  readonly found: readonly Found[];
  /** Pictures that could not be read, or are not the ones that were annotated. */
  readonly failures: readonly { readonly picture: DataPicture; readonly error: unknown }[];
  readonly speed: Speed;
}

/**
 * Detections of all pictures. A picture that cannot be read is a failure and the others go on; fails with INTERRUPTED, or as the
 * detector does. Decoding and detecting take turns in each slot of the
 * detector; their times are those of all slots together.
 */
export async function detectDataset(
  detector: Detector,
  pictures: readonly DataPicture[],
  { categoriesOf, signal, onProgress }: DetectDatasetOptions,
): Promise<DatasetRun> {
  const found: Found[][] = pictures.map(() => []);
  const failures: DatasetRun["failures"][number][] = [];
  const batches = batchesOf(pictures, detector.maxBatch);
  let [decodeMs, detectMs, done] = [0, 0, 0];
  const work = async (): Promise<void> => {
    for (const { first, batch } of batches) {
      if (signal?.aborted) throw interrupted(done, pictures.length);
      const start = performance.now();
      const decoded = await Promise.all(
        batch.map((picture) => readPicture(picture).catch((error: unknown) => ({ error }))),
      );
      decodeMs += performance.now() - start;
      const whole = decoded.flatMap((outcome, i) =>
        "error" in outcome ? [] : [{ at: first + i, image: outcome.image }],
      );
      for (const [i, outcome] of decoded.entries())
        if ("error" in outcome) failures.push({ picture: batch[i]!, error: outcome.error });
      const { detections, inferMs } = await detector.detect(whole.map(({ image }) => image));
      detectMs += inferMs;
      for (const [i, { at }] of whole.entries()) {
        found[at] = detections[i]!.flatMap(({ label, bbox, score }) => {
          const classes = categoriesOf.get(label) ?? [];
          return classes.map(({ id: categoryId }) => ({ pictureId: pictures[at]!.id, categoryId, bbox, score }));
        });
      }
      done += batch.length;
      onProgress?.(done, pictures.length);
    }
  };
  onProgress?.(0, pictures.length);
  // As many as the detector works on at the same time, all taking from one list.
  await Promise.all(Array.from({ length: detector.slots }, work));
  const detected = Math.max(1, pictures.length - failures.length);
  return {
    found: found.flat(),
    failures,
    speed: { decodeMs: decodeMs / pictures.length, detectMs: detectMs / detected, batch: detector.maxBatch },
  };
}

function* batchesOf(
  pictures: readonly DataPicture[],
  size: number,
): Generator<{ first: number; batch: readonly DataPicture[] }, void> {
  for (let first = 0; first < pictures.length; first += size) {
    yield { first, batch: pictures.slice(first, first + size) };
  }
}

function interrupted(done: number, total: number): MultiboxError {
  return new MultiboxError("INTERRUPTED", `Stopped after ${done} of ${countOf(total, "image")}; nothing was written.`);
}
