// A source runs ffmpeg once and ends: frames of one stream, from a URL or a file. Retrying is supervise.ts's business.
import { Observable } from "rxjs";
import { MultiboxError } from "../errors.ts";
import type { ColourTags } from "../model/detection.ts";
import { createColourReader, UNTAGGED } from "./colour-tags.ts";
import { runFfmpeg, type FfmpegHandle } from "./ffmpeg.ts";
import { inputFormat, inputRotation } from "./ffmpeg-lines.ts";
import { clockTimeBase, longestStep } from "./file-clock.ts";
import { findFfmpeg, type Ffmpeg } from "./find-ffmpeg.ts";
import type { DropCause, Frame } from "./frame.ts";
import { createFrameWriter } from "./frame-writer.ts";
import { judgeReading, learnReading, type SourceReading } from "./http-images.ts";
import type { Guard } from "./guard.ts";
import type { StartQueue } from "./start-queue.ts";
import type { RtspTunnel } from "./rtsp-tunnel.ts";
import { ChangeLog, type SourceChange } from "./source-change.ts";
import { changeOf, refusalOf, rotatedChangeOf, sourceError, truncationOf } from "./source-error.ts";
import { type AddressRules, inputOf, outputOptions } from "./source-input.ts";
import { isLive, schemeOf, type StreamConfig } from "./stream.ts";
import { redactUrl } from "../redact.ts";

/** What a source needs to know besides its stream. */
export interface SourceOptions {
  /** Wider pictures are scaled down to this width by ffmpeg. */
  readonly maxDecodeWidth: number;
  /** How many decoded pictures may be alive at once. */
  readonly poolSize: number;
  /** A picture was decoded, and will be emitted or dropped at once. */
  readonly onDecoded: () => void;
  /** The picture that was last decoded could not be kept. */
  readonly onDrop: (cause: DropCause) => void;
  /** The run is over and its ffmpeg is gone: once for each subscription, after it completed, failed or was given up. */
  readonly onClosed?: () => void;
  /** A file that played to its end was damaged or cut short. */
  readonly onWarning?: (warning: MultiboxError) => void;
  /** The ffmpeg to run; looked for anew for each run when absent. */
  readonly ffmpeg?: Ffmpeg;
  /** Shared by all sources of a server; one for this run when absent. */
  readonly guard?: Guard;
  /** Shared by all sources of a server: how many start at once; as many as there are when absent. */
  readonly starts?: StartQueue;
  /** Whether the stream has had frames, in another run. */
  readonly hadFrames?: boolean;
  /** Called about once a second while others that start are waited for. */
  readonly onWaiting?: () => void;
  /** Most memory of its ffmpeg, in MiB. */
  readonly maxMemoryMb?: number | undefined;
  /** Where URLs may lead to; anywhere when absent. */
  readonly addresses?: AddressRules | undefined;
  /** What earlier runs have found out about the source. */
  readonly reading?: SourceReading;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const WAITING_EVERY_MS = 1000;
/** How long pictures wait for ffmpeg to say their colours; it always does, unless a future one prints it otherwise. */
const COLOUR_AFTER_MS = 2000;

/**
 * One run of a source: cold, starts ffmpeg on subscription, kills it on unsubscription. Every frame that is emitted
 * is the receiver's to release. Completes when the input ends, fails with a MultiboxError that says why.
 */
export function openSource(config: StreamConfig, options: SourceOptions): Observable<Frame> {
  return new Observable((subscriber) => {
    let handle: FfmpegHandle | undefined;
    let tunnel: RtspTunnel | undefined;
    let colourless: NodeJS.Timeout | undefined;
    let started = (): void => undefined;
    const abort = new AbortController();
    const isFile = schemeOf(config.url) === "file";
    let format: string | undefined;
    let rotation = 0;
    let timeBase: ReturnType<typeof clockTimeBase>;
    const describe = (colour: ColourTags): void =>
      // Frames between those that `maxFps` lets through are no jump.
      writer.describe({ colour, timeBase, longestStep: longestStep(format) + (config.maxFps ? 1 / config.maxFps : 0) });
    /** A file that is looped would say the same with each round. */
    const warned = new Set<SourceChange["kind"]>();
    const warn = (change: SourceChange): void => {
      if (warned.has(change.kind)) return;
      warned.add(change.kind);
      const changes = new ChangeLog();
      changes.add(change);
      for (const warning of changes.warnings(`"${redactUrl(config.url)}"`)) options.onWarning?.(warning);
    };
    const reading = options.reading ?? {};
    /** This run reads the source in a way that an earlier one has chosen. */
    let isTrial = false;
    const writer = createFrameWriter({
      ...options,
      stream: config.id,
      live: isLive(config),
      now: options.now ?? Date.now,
      isFile,
      onOpen: () => {
        started();
        colourless = setTimeout(() => describe(UNTAGGED), COLOUR_AFTER_MS);
      },
      onChange: (change) => warn(change),
      onFrame: (frame) => subscriber.next(frame),
      onError: (error) => subscriber.error(error),
    });

    const run = async (): Promise<void> => {
      started = await place(options, abort.signal);
      const ffmpeg = options.ffmpeg ?? (await findFfmpeg());
      // An older ffmpeg does not notice that a camera has hung up before it played.
      const refused = (): void => subscriber.error(tunnel?.refusal);
      const input = await inputOf(config, ffmpeg, options.addresses, refused, reading);
      tunnel = input.tunnel;
      if (subscriber.closed) return;
      const readColour = createColourReader();
      isTrial = reading.as !== undefined && reading.as !== "usual";
      handle = runFfmpeg({
        ffmpeg,
        inputs: [input],
        outputOptions: outputOptions(config, ffmpeg, options.maxDecodeWidth),
        output: writer,
        onLine: (line) => {
          // The first picture waits for what ffmpeg says of its output, which is after it has set up its filters.
          format ??= inputFormat(line);
          timeBase ??= clockTimeBase(line);
          if (writer.decoded === 0) rotation = inputRotation(line) ?? rotation;
          const change = (): MultiboxError | undefined =>
            isFile ? rotatedChangeOf(config, line, rotation) : changeOf(config, line);
          const error = refusalOf(config, line) ?? (writer.decoded > 0 ? change() : undefined);
          if (error) subscriber.error(error);
          const colour = readColour(line);
          if (colour) describe(colour);
        },
        ...(options.guard && { guard: options.guard }),
        maxMemoryMb: options.maxMemoryMb ?? MAX_MEMORY_MB,
      });
      const exit = await handle.done;
      if (subscriber.closed) return;
      if (tunnel?.refusal) throw tunnel.refusal;
      const isChecked = options.addresses?.apply(config.url) === true;
      const learnt = options.reading && learnReading(reading, config, exit, { decoded: writer.decoded, isChecked });
      if (learnt !== undefined) throw new MultiboxError("STREAM_FAILED", `"${redactUrl(config.url)}" ${learnt}.`);
      const error = sourceError(config, exit, writer.decoded, ffmpeg);
      if (error) throw error;
      const warning = truncationOf(config, exit);
      if (warning) options.onWarning?.(warning);
      subscriber.complete();
    };
    void run()
      .catch((error: unknown) => subscriber.error(error))
      .finally(() => {
        started();
        clearTimeout(colourless);
        tunnel?.close();
        options.onClosed?.();
      });

    return () => {
      // Also of one that was given up because it hung.
      if (isTrial) judgeReading(reading, writer.decoded);
      writer.discard();
      abort.abort();
      handle?.stop();
    };
  });
}

/** One with two threads needs less than half of it for 4K in ten bits. */
const MAX_MEMORY_MB = 768;

/** Waits until the run may start. Gives what is to be called once it has. */
async function place(
  { starts, hadFrames = false, onWaiting }: SourceOptions,
  signal: AbortSignal,
): Promise<() => void> {
  if (!starts) return () => undefined;
  const waiting = setInterval(() => onWaiting?.(), WAITING_EVERY_MS);
  try {
    return await starts.enter(hadFrames, signal);
  } finally {
    clearInterval(waiting);
  }
}
