// Frames in, lines out: batches of fixed composition go through the detector side by side, and their lines come in order.
import type { Detection } from "../model/detection.ts";
import type { Detector } from "../model/detector.ts";
import type { Frame } from "../pipeline/frame.ts";

export interface BatchesOptions {
  readonly detector: Pick<Detector, "detect">;
  /**
   * Frames of a batch. The nth batch always has the same frames, because arithmetic on a whole batch may differ in the last bit from that
   * on its parts.
   */
  readonly size: number;
  /** Waited for: no further frame is released before. */
  readonly write: (frame: Frame, detections: readonly Detection[]) => Promise<void>;
  /** Called once; everything after is released unseen. */
  readonly onError: (error: unknown) => void;
}

export interface Batches {
  /** Takes the frame, and releases it. */
  push(frame: Frame): void;
  /** Detects what does not fill a batch, and resolves when all is written. Rejects with the first error. */
  end(): Promise<void>;
  /** Releases what does not fill a batch, and resolves when what is in the detector is written or has failed. Never rejects. */
  drop(): Promise<void>;
}

export function createBatches({ detector, size, write, onError }: BatchesOptions): Batches {
  let waiting: Frame[] = [];
  let error: { readonly cause: unknown } | undefined;
  let last: Promise<void> = Promise.resolve();

  const fail = (cause: unknown): void => {
    if (error) return;
    error = { cause };
    onError(cause);
  };
  const run = async (frames: readonly Frame[], before: Promise<void>): Promise<void> => {
    try {
      const answer = detector.detect(frames.map(({ picture }) => picture));
      // It may fail while those before it are waited for.
      answer.catch(() => undefined);
      await before;
      const { detections } = await answer;
      for (const [i, frame] of frames.entries()) {
        if (error) return;
        await write(frame, detections[i]!);
      }
    } catch (cause) {
      fail(cause);
    } finally {
      for (const frame of frames) frame.release();
    }
  };
  const send = (): void => {
    const frames = waiting;
    waiting = [];
    if (frames.length > 0) last = run(frames, last);
  };

  return {
    push(frame) {
      if (error) {
        frame.release();
        return;
      }
      waiting.push(frame);
      if (waiting.length === size) send();
    },
    async end() {
      send();
      await last;
      if (error) throw error.cause;
    },
    async drop() {
      for (const frame of waiting.splice(0)) frame.release();
      await last;
    },
  };
}
