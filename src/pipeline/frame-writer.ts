// The end of ffmpeg's pipe: raw pictures go into pooled buffers and out as frames, dropped or waited for when there is none.
import { Writable } from "node:stream";
import type { ColourTags } from "../model/detection.ts";
import { FramePool, type DropCause, type Frame, type FrameSlot } from "./frame.ts";
import type { NutStream } from "./nut-headers.ts";
import { NutParser } from "./nut.ts";
import type { Intake } from "./raw-pipe.ts";

export interface FrameWriterOptions {
  readonly stream: string;
  /** A live stream's pipe is always drained: a picture without a buffer passes and is counted as dropped. */
  readonly live: boolean;
  /** How many pictures may be alive at once; may depend on their size. */
  readonly poolSize: number | ((width: number, height: number) => number);
  readonly now: () => number;
  /** The clock of what comes is ahead of the source's by so many seconds. */
  readonly aheadSeconds?: number;
  /** Whether a picture is wanted; all are when absent. Asked once for each, in order. */
  readonly select?: (index: number, pts: number) => boolean;
  /** Pictures begin to come. */
  readonly onOpen: (stream: NutStream) => void;
  readonly onDecoded: () => void;
  readonly onDrop: (cause: DropCause) => void;
  readonly onFrame: (frame: Frame) => void;
  /** What comes is no NUT stream; nothing more will be read. */
  readonly onError: (error: unknown) => void;
}

export interface FrameWriter {
  /** Takes ffmpeg's output, at the pace that pictures find buffers: without a copy, where there is a pipe for that. */
  readonly intake: Intake;
  readonly writable: Writable;
  /** Pictures wait for this: their frames carry the colours, and ffmpeg tells them by another pipe. */
  setColour(colour: ColourTags): void;
  /** Complete pictures so far. */
  readonly decoded: number;
  /** Lets everything that still comes pass unread, so that ffmpeg can end. Emits nothing any more. */
  discard(): void;
}

/** More than a chunk (64 KiB), so that one that was taken at once does not make the pipe pause for it. */
const HIGH_WATER_MARK = 128 * 1024;

export function createFrameWriter(options: FrameWriterOptions): FrameWriter {
  let colour: ColourTags | undefined;
  let stream: NutStream | undefined;
  let pool: FramePool | undefined;
  let slot: FrameSlot | undefined;
  let decoded = 0;
  let discarding = false;
  /** Where to say that a chunk was used up, while the parser waits for a buffer. */
  let paused: (() => void) | undefined;

  /** Exact: both products are whole numbers, and divided once. */
  const secondsOf = (ticks: number): number => {
    const [numerator, denominator] = stream!.timeBase;
    const ahead = Math.round(((options.aheadSeconds ?? 0) * denominator) / numerator);
    return ((ticks - ahead) * numerator) / denominator;
  };
  const poolFor = ({ width, height }: NutStream, tags: ColourTags): FramePool => {
    const { poolSize } = options;
    return new FramePool(width, height, tags, typeof poolSize === "number" ? poolSize : poolSize(width, height));
  };

  /** Whether the picture that begins is wanted; unknown between pictures. */
  let wanted: boolean | undefined;
  const parser = new NutParser({
    onStream: (opened) => {
      stream = opened;
      options.onOpen(opened);
    },
    onPicture: (ticks) => {
      if (!colour) return "wait";
      wanted ??= options.select?.(decoded, secondsOf(ticks)) ?? true;
      if (!wanted) return "skip";
      pool ??= poolFor(stream!, colour);
      slot = pool.tryTake();
      if (slot) return slot.data;
      if (options.live) return "skip";
      // Not within `release`, whose caller does not expect the next frame in the middle of what it does.
      pool.whenFree(() => queueMicrotask(resume));
      return "wait";
    },
    onPictureEnd: (ticks) => {
      const index = decoded;
      const full = slot;
      decoded += 1;
      slot = undefined;
      const isWanted = wanted;
      wanted = undefined;
      options.onDecoded();
      if (!isWanted) return;
      const pts = secondsOf(ticks);
      if (discarding) options.onDrop("closed");
      else if (!full) options.onDrop("no-buffer");
      else
        options.onFrame(full.commit({ stream: options.stream, index, pts, time: options.now(), live: options.live }));
    },
  });

  /** Runs the parser; true when it wants more. */
  const attempt = (step: () => boolean): boolean => {
    try {
      return step();
    } catch (error) {
      discard();
      options.onError(error);
      return true;
    }
  };
  /** Asks for the next chunk, if that was not done already: those who take a frame may discard all others. */
  const proceed = (): void => {
    const go = paused;
    paused = undefined;
    go?.();
  };
  const resume = (): void => {
    if (paused && attempt(() => parser.resume())) proceed();
  };
  const discard = (): void => {
    if (discarding) return;
    discarding = true;
    parser.stop();
    slot?.giveBack();
    slot = undefined;
    proceed();
  };

  const writable = new Writable({
    highWaterMark: HIGH_WATER_MARK,
    // fluent-ffmpeg takes 'close' for a broken pipe and kills ffmpeg.
    autoDestroy: false,
    emitClose: false,
    write(chunk: Uint8Array, _encoding, done) {
      if (discarding || attempt(() => parser.push(chunk))) done();
      else paused = done;
    },
  });

  return {
    intake: {
      room: () => parser.room(),
      took(count, go) {
        if (discarding || attempt(() => parser.filled(count))) return true;
        paused = go;
        return false;
      },
    },
    writable,
    setColour(tags) {
      if (colour) return;
      colour = tags;
      resume();
    },
    get decoded(): number {
      return decoded;
    },
    discard,
  };
}
