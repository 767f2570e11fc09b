// The end of ffmpeg's pipe: raw pictures go into pooled buffers and out as frames, dropped or waited for when there is none.
import { Writable } from "node:stream";
import type { ColourTags } from "../model/detection.ts";
import { AHEAD_SECONDS, createFileClock } from "./file-clock.ts";
import { FramePool, type DropCause, type Frame, type FrameSlot } from "./frame.ts";
import type { NutStream } from "./nut-headers.ts";
import { NutParser } from "./nut.ts";
import type { Intake } from "./raw-pipe.ts";
import type { SourceChange } from "./source-change.ts";

export interface FrameWriterOptions {
  readonly stream: string;
  /** A live stream's pipe is always drained: a picture without a buffer passes and is counted as dropped. */
  readonly live: boolean;
  /** How many pictures may be alive at once; may depend on their size. */
  readonly poolSize: number | ((width: number, height: number) => number);
  readonly now: () => number;
  /** A file's: what comes was made with `fileOutputs`, and its clock is to be decoded. */
  readonly isFile?: boolean;
  /** Whether a picture is wanted; all are when absent. Asked once for each, in order. */
  readonly select?: (index: number, pts: number) => boolean;
  /** Pictures begin to come. */
  readonly onOpen: (stream: NutStream) => void;
  readonly onDecoded: () => void;
  /** The file's clock jumps, or its frames have another size than those before: called before `select` asks for the first frame of it. */
  readonly onChange?: (change: SourceChange) => void;
  readonly onDrop: (cause: DropCause) => void;
  readonly onFrame: (frame: Frame) => void;
  /** What comes is no NUT stream; nothing more will be read. */
  readonly onError: (error: unknown) => void;
}

/** What ffmpeg says of the source on another pipe than the frames'. */
export interface SourceDescription {
  readonly colour: ColourTags;
  /** Of a file: the longest step of its clock that is no jump, and the duration of a frame, in seconds. */
  readonly longestStep?: number;
  readonly frameDuration?: number;
  /** Of a file: seconds of a tick of its clock, as a fraction; the stream's own when absent. */
  readonly timeBase?: readonly [numerator: number, denominator: number] | undefined;
}

export interface FrameWriter {
  /** Takes ffmpeg's output, at the pace that pictures find buffers: without a copy, where there is a pipe for that. */
  readonly intake: Intake;
  readonly writable: Writable;
  /** Frames wait for this. Only the first call counts. */
  describe(source: SourceDescription): void;
  /** Complete pictures so far. */
  readonly decoded: number;
  /** Lets everything that still comes pass unread, so that ffmpeg can end. Emits nothing any more. */
  discard(): void;
}

/** More than a chunk (64 KiB), so that one that was taken at once does not make the pipe pause for it. */
const HIGH_WATER_MARK = 128 * 1024;

export function createFrameWriter(options: FrameWriterOptions): FrameWriter {
  let source: SourceDescription | undefined;
  let stream: NutStream | undefined;
  let clock: ReturnType<typeof openClock> | undefined;
  let pool: FramePool | undefined;
  /** Of sizes before, with frames that are not released yet. */
  let older: FramePool[] = [];
  const sum = (pools: readonly FramePool[]): number => pools.reduce((total, { lent }) => total + lent, 0);
  let slot: FrameSlot | undefined;
  let decoded = 0;
  let discarding = false;
  /** Where to say that a chunk was used up, while the parser waits for a buffer. */
  let paused: (() => void) | undefined;

  /** Exact: both products are whole numbers, and divided once. */
  const secondsOf = (ticks: number): number => (ticks * stream!.timeBase[0]) / stream!.timeBase[1];
  const ticksOf = (seconds: number): number => Math.round((seconds * stream!.timeBase[1]) / stream!.timeBase[0]);
  /** Of the stream's ticks, how many are one of the file's. */
  const divisor = (): number => {
    const [numerator, denominator] = source!.timeBase ?? stream!.timeBase;
    return Math.max(1, ticksOf(numerator / denominator));
  };
  const openClock = ({ longestStep = Number.POSITIVE_INFINITY, frameDuration = 0.04 }: SourceDescription) => {
    const parts = divisor();
    const leapTicks = Number.isFinite(longestStep) ? ticksOf(longestStep) / parts : longestStep;
    const decode = createFileClock({ leapTicks, frameTicks: Math.max(1, Math.round(ticksOf(frameDuration) / parts)) });
    const toStream = (ticks: number): number => secondsOf(ticks * parts);
    return (streamTicks: number) => {
      const { ticks, sourceTicks, jumpedFrom } = decode(Math.round((streamTicks - ticksOf(AHEAD_SECONDS)) / parts));
      const from = jumpedFrom === undefined ? undefined : toStream(jumpedFrom);
      return { pts: toStream(ticks), sourcePts: toStream(sourceTicks), from };
    };
  };
  const poolFor = (width: number, height: number): FramePool => {
    const { poolSize } = options;
    const capacity = typeof poolSize === "number" ? poolSize : poolSize(width, height);
    return new FramePool(width, height, source!.colour, capacity);
  };
  /** What is known of the frame that begins; asked for once for each. */
  const begin = (coded: number, width: number, height: number): typeof current => {
    if (!options.isFile) {
      const pts = secondsOf(coded);
      return { pts, sourcePts: pts, isWanted: options.select?.(decoded, pts) ?? true };
    }
    clock ??= openClock(source!);
    const { pts, sourcePts, from } = clock(coded);
    if (from !== undefined) options.onChange?.({ kind: "clock", index: decoded, pts, from, to: sourcePts });
    if (width !== size.width || height !== size.height) {
      options.onChange?.({ kind: "size", index: decoded, pts, width, height });
      size = { width, height };
    }
    return { pts, sourcePts, isWanted: options.select?.(decoded, pts) ?? true };
  };

  /** The frame that is being read; undefined between frames. */
  let current: { readonly pts: number; readonly sourcePts: number; readonly isWanted: boolean } | undefined;
  let size = { width: 0, height: 0 };
  const parser = new NutParser({
    onStream: (opened) => {
      stream = opened;
      size = opened;
      options.onOpen(opened);
    },
    onPicture: (ticks, width, height) => {
      if (!source) return "wait";
      current ??= begin(ticks, width, height);
      if (!current!.isWanted) return "skip";
      if (pool?.width !== width || pool.height !== height) {
        if (pool) older.push(pool);
        pool = poolFor(width, height);
      }
      // Frames of sizes before keep their buffers until they are released, and count until then: sizes may change with every frame.
      older = older.filter(({ lent }) => lent > 0);
      const isFull = older.length > 0 && sum(older) + pool.lent >= pool.capacity;
      slot = isFull ? undefined : pool.tryTake();
      if (slot) return slot.data;
      if (options.live) return "skip";
      // Not within `release`, whose caller does not expect the next frame in the middle of what it does.
      const again = (): void => queueMicrotask(resume);
      if (isFull) for (const one of [...older, pool]) one.whenReleased(again);
      else pool.whenFree(again);
      return "wait";
    },
    onPictureEnd: () => {
      const index = decoded;
      const full = slot;
      const { pts, sourcePts, isWanted } = current!;
      decoded += 1;
      slot = undefined;
      current = undefined;
      options.onDecoded();
      if (!isWanted) return;
      if (discarding) options.onDrop("closed");
      else if (!full) options.onDrop("no-buffer");
      else {
        const { stream: name, live } = options;
        const info = { stream: name, index, pts, time: options.now(), live };
        options.onFrame(full.commit(sourcePts === pts ? info : { ...info, sourcePts }));
      }
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
    describe(description) {
      if (source) return;
      source = description;
      resume();
    },
    get decoded(): number {
      return decoded;
    },
    discard,
  };
}
