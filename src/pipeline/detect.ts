// Batches -> detected frames, each stream's in the order in which they were taken, whichever worker is done first.
import { filter, from, merge, mergeMap, type OperatorFunction } from "rxjs";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { Detected, Frame } from "./frame.ts";
import type { InOrder } from "./in-order.ts";
import type { WaitingFrame } from "./waiting-room.ts";

export interface DetectOptions {
  /** The detector for the next batch. */
  readonly detector: () => Detector;
  /** Shared by all that may have frames of the same stream. */
  readonly order: InOrder;
  /** The detector is done with a batch, well or not, after so many milliseconds. */
  readonly onDone: (detector: Detector, batch: readonly WaitingFrame[], ms: number) => void;
  /** A batch failed; its frames are released afterwards and come no further. */
  readonly onFailed: (frames: readonly Frame[], error: MultiboxError) => void;
  /** Milliseconds on the clock that `WaitingFrame.since` was read from. */
  readonly now?: () => number;
}

/** What the detector says of a frame, before its stream has numbered it. */
export type Unnumbered = Omit<Detected, "seq">;

/** Runs every batch at once, so that whoever feeds it decides how many are in the detector. Frames are the receiver's to release. */
export function detectBatches(options: DetectOptions): OperatorFunction<WaitingFrame[], Unnumbered> {
  const { onDone, onFailed, order, now = () => performance.now() } = options;
  /** For each frame what was found, or undefined when the batch failed. */
  const detect = async (batch: WaitingFrame[], detector: Detector): Promise<Unnumbered[] | undefined> => {
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
      return undefined;
    } finally {
      onDone(detector, batch, now() - taken);
    }
  };
  return (batches) =>
    batches.pipe(
      mergeMap((batch) => {
        const found = detect(batch, options.detector());
        return merge(
          ...batch.map(({ frame }, i) =>
            from(
              order.next(
                frame.stream,
                found.then((all) => all?.[i]),
              ),
            ),
          ),
        );
      }),
      filter((detected) => detected !== undefined),
    );
}

function explain(error: unknown): MultiboxError {
  if (error instanceof MultiboxError) return error;
  return new MultiboxError("ENGINE_FAILED", `The detector failed: ${sentenceOf(error)}.`, "", { cause: error });
}
