// Reads a video file once from its first frame on: every frame with its exact index and time, at the pace that frames are released.
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { MultiboxError } from "../errors.ts";
import { createColourReader, UNTAGGED } from "../pipeline/colour-tags.ts";
import { runFfmpeg } from "../pipeline/ffmpeg.ts";
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";
import type { Frame } from "../pipeline/frame.ts";
import { clockTimeBase, longestStep } from "../pipeline/file-clock.ts";
import { createFrameWriter } from "../pipeline/frame-writer.ts";
import type { Guard } from "../pipeline/guard.ts";
import type { NutStream } from "../pipeline/nut-headers.ts";
import { refusalOf, rotatedChangeOf, sourceError } from "../pipeline/source-error.ts";
import type { SourceChange } from "../pipeline/source-change.ts";
import { DamageLog } from "./damage.ts";
import type { Rational } from "./annotation.ts";
import type { Choice } from "./selection.ts";
import { type DecodeOptions, inputArguments, outputArguments } from "./video-arguments.ts";
import { createVideoInfoReader, type VideoInfo } from "./video-info.ts";

export interface OpenedVideo extends VideoInfo {
  readonly width: number;
  readonly height: number;
  readonly timeBase: Rational;
}

export interface ReadOptions extends DecodeOptions {
  /** A file's path, or "-" with `input`. */
  readonly path: string;
  readonly input?: Readable | undefined;
  readonly ffmpeg: Ffmpeg;
  readonly guard: Guard;
  /** Asked for each frame in order. */
  readonly select: (index: number, pts: number) => Choice;
  /** Called before the first frame, and waited for: how many frames of a size may be alive at once. */
  readonly onOpen: (video: OpenedVideo) => Promise<(width: number, height: number) => number>;
  /** The frame is the receiver's to release. */
  readonly onFrame: (frame: Frame) => void;
  /** Every decoded frame, wanted or not. */
  readonly onDecoded?: (pts: number) => void;
  /** The clock jumps, or the size changes; before `select` is asked for the first frame of it. */
  readonly onChange?: (change: SourceChange) => void;
}

export interface VideoReading {
  /** Resolves when the file is read, or enough of it; rejects with a MultiboxError, or with what `onOpen` failed with. */
  readonly done: Promise<{ readonly decoded: number; readonly damage: DamageLog }>;
  /** Ends it soon; no frame comes any more, and `done` resolves. Idempotent. */
  stop(): void;
}

/** How long pictures wait for ffmpeg to describe them; it always does, unless a future one prints it otherwise. */
const DESCRIBED_AFTER_MS = 5000;

export function readVideo(options: ReadOptions): VideoReading {
  const { path, ffmpeg } = options;
  const config = { id: path, url: path === "-" ? "standard input" : path, loop: false, transport: "tcp" } as const;
  const damage = new DamageLog();
  let failure: unknown;
  let stopped = false;
  let pool = (_width: number, _height: number): number => 1;
  let lastPts = 0;
  let nut: NutStream | undefined;
  let described: { info: VideoInfo; colour: typeof UNTAGGED } | undefined;
  let opened = false;

  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    writer.discard();
    handle.stop();
  };
  const fail = (error: unknown): void => {
    if (!stopped) failure = error;
    stop();
  };
  /** Pictures wait for their colours, and these are held back until whoever reads is ready. */
  const open = async (): Promise<void> => {
    if (opened || !nut || !described) return;
    opened = true;
    const { width, height } = nut;
    const timeBase: Rational = [...nut.timeBase];
    pool = await options.onOpen({ ...described.info, width, height, timeBase });
    if (stopped) return;
    const { frameRate, format } = described.info;
    writer.describe({
      colour: described.colour,
      // Between key frames any time may pass.
      timeBase: tick,
      longestStep: options.keyframes ? Number.POSITIVE_INFINITY : longestStep(format),
      ...(frameRate && { frameDuration: frameRate[1] / frameRate[0] }),
    });
  };

  const writer = createFrameWriter({
    stream: path,
    live: false,
    now: Date.now,
    isFile: true,
    poolSize: (width, height) => pool(width, height),
    onOpen: (stream) => {
      nut = stream;
      void open().catch(fail);
      setTimeout(() => {
        described ??= { info: { codec: "unknown", rotation: 0, start: 0 }, colour: UNTAGGED };
        void open().catch(fail);
      }, DESCRIBED_AFTER_MS).unref();
    },
    select: (index, pts) => {
      lastPts = pts;
      options.onDecoded?.(pts);
      const choice = options.select(index, pts);
      // Not within the parser, which must not be stopped while it asks.
      if (choice === "end") queueMicrotask(stop);
      return choice === "take";
    },
    onDecoded: () => {},
    ...(options.onChange && { onChange: options.onChange }),
    onDrop: () => {},
    onFrame: (frame) => (stopped ? frame.release() : options.onFrame(frame)),
    onError: fail,
  });

  const readInfo = createVideoInfoReader();
  const readColour = createColourReader();
  let info: VideoInfo | undefined;
  let tick: ReturnType<typeof clockTimeBase>;
  const handle = runFfmpeg({
    ffmpeg,
    inputs: [{ url: options.input ?? `file:${resolve(path)}`, options: inputArguments(options) }],
    outputOptions: outputArguments(options),
    output: writer,
    guard: options.guard,
    onLine: (line) => {
      const refusal = refusalOf(config, line) ?? rotatedChangeOf(config, line, info?.rotation ?? 0);
      if (refusal) fail(refusal);
      if (opened) damage.add(line, writer.decoded, lastPts);
      tick ??= clockTimeBase(line);
      info ??= readInfo(line);
      const colour = readColour(line);
      if (!colour || !info || described) return;
      described = { info, colour };
      void open().catch(fail);
    },
  });

  const run = async (): Promise<{ decoded: number; damage: DamageLog }> => {
    const exit = await handle.done;
    if (failure !== undefined) throw failure;
    const { decoded } = writer;
    if (stopped) return { decoded, damage };
    const error = pipeError(options.path, exit.stderrTail, decoded) ?? sourceError(config, exit, decoded);
    // What broke off after some frames was a video: all that there was of it has come.
    if (error && (decoded === 0 || error.code !== "STREAM_TRUNCATED")) throw error;
    if (error) damage.add(`[error] ${error.message}`, decoded, lastPts);
    return { decoded, damage };
  };
  return { done: run(), stop };
}

/** An MP4's index is usually at its end, and a pipe cannot be read from there. */
function pipeError(path: string, tail: readonly string[], decoded: number): MultiboxError | undefined {
  if (path !== "-" || decoded > 0 || !tail.some((line) => /partial file|moov atom not found/.test(line)))
    return undefined;
  return new MultiboxError(
    "STREAM_NOT_VIDEO",
    "Standard input is an MP4 with its index at the end, or one that was cut short; from a pipe it cannot be read.",
    "Name the file instead, or put the index first: `ffmpeg -i IN -c copy -movflags +faststart OUT`.",
  );
}
