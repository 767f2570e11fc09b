// Runs a source to its end and keeps what came of it.
import type { Observable } from "rxjs";
import type { MultiboxError } from "../../src/errors.ts";
import type { DropCause, Frame } from "../../src/pipeline/frame.ts";
import { openSource, type SourceOptions } from "../../src/pipeline/source.ts";
import type { StreamConfig } from "../../src/pipeline/stream.ts";

/** A frame with pixels of its own; the frame itself has been released. */
interface Kept extends Frame {
  /** Luma at this place. */
  readonly luma: (x: number, y: number) => number;
}

export interface Outcome {
  readonly frames: Kept[];
  readonly drops: DropCause[];
  readonly warnings: MultiboxError[];
  decoded: number;
  /** What the source failed with; absent when it completed. */
  error?: MultiboxError;
}

export const fileConfig = (url: string, loop = false): StreamConfig => ({ id: "test", url, loop, transport: "tcp" });

/** A source whose callbacks write into an outcome. `closed` resolves when its ffmpeg is gone. */
export function open(
  config: StreamConfig,
  options: Partial<SourceOptions> = {},
): { source: Observable<Frame>; outcome: Outcome; closed: Promise<void> } {
  const outcome: Outcome = { frames: [], drops: [], warnings: [], decoded: 0 };
  let onClosed!: () => void;
  const closed = new Promise<void>((resolve) => (onClosed = resolve));
  const source = openSource(config, {
    maxDecodeWidth: 1920,
    poolSize: 4,
    onDecoded: () => void (outcome.decoded += 1),
    onDrop: (cause) => outcome.drops.push(cause),
    onWarning: (warning) => outcome.warnings.push(warning),
    onClosed,
    ...options,
  });
  return { source, outcome, closed };
}

/** All that a source gives, until it ends and its ffmpeg is gone, or until there are `limit` frames. */
export async function collect(
  config: StreamConfig,
  options: Partial<SourceOptions> = {},
  limit = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const { source, outcome, closed } = open(config, options);
  await new Promise<void>((resolve) => {
    const subscription = source.subscribe({
      next: (frame) => {
        outcome.frames.push(keep(frame));
        frame.release();
        if (outcome.frames.length < limit) return;
        subscription.unsubscribe();
        resolve();
      },
      error: (error: MultiboxError) => {
        outcome.error = error;
        resolve();
      },
      complete: resolve,
    });
  });
  await closed;
  return outcome;
}

function keep(frame: Frame): Kept {
  const picture = { ...frame.picture, data: frame.picture.data.slice() };
  return { ...frame, picture, luma: (x, y) => picture.data[y * picture.width + x]! };
}
