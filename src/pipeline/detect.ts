// Batches -> detected frames, in the order in which the frames were taken, whichever worker is done first.
import { concatMap, from, map, type OperatorFunction } from "rxjs";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { WaitingFrame } from "./batch.ts";
import type { Detected, Frame } from "./frame.ts";

export interface DetectOptions {
  /** The detector takes one more batch. */
  readonly onFree: () => void;
  /** A batch failed; its frames are released afterwards and come no further. */
  readonly onFailed: (frames: readonly Frame[], error: MultiboxError) => void;
  /** Milliseconds on the clock that `WaitingFrame.since` was read from. */
  readonly now?: () => number;
}

/** What the detector says of a frame, before its stream has numbered it. */
export type Unnumbered = Omit<Detected, "seq">;

/** Runs every batch at once, so that whoever feeds it decides how many are in the detector. Frames are the receiver's to release. */
export function detectBatches(
  detector: Detector,
  options: DetectOptions,
): OperatorFunction<WaitingFrame[], Unnumbered> {
  const { onFree, onFailed, now = () => performance.now() } = options;
  const detect = async (batch: WaitingFrame[]): Promise<Unnumbered[]> => {
    const taken = now();
    const frames = batch.map(({ frame }) => frame);
    try {
      const { detections, inferMs } = await detector.detect(frames.map(({ picture }) => picture));
      const done = now();
      return batch.map(({ frame, since }, i) => ({
        frame,
        detections: detections[i]!,
        model: detector.info.model,
        timing: { queueMs: taken - since, inferMs, totalMs: done - since },
      }));
    } catch (error) {
      onFailed(frames, explain(error));
      for (const frame of frames) frame.release();
      return [];
    } finally {
      onFree();
    }
  };
  return (batches) =>
    batches.pipe(
      map((batch) => detect(batch)),
      concatMap((promise) => from(promise)),
      concatMap((detected) => from(detected)),
    );
}

function explain(error: unknown): MultiboxError {
  if (error instanceof MultiboxError) return error;
  return new MultiboxError("ENGINE_FAILED", `The detector failed: ${sentenceOf(error)}.`, "", { cause: error });
}
