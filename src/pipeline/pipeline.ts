// All streams of one detector: add, remove, watch. Sources -> batches -> detector -> detected frames, with their books.
import { isDeepStrictEqual } from "node:util";
import { type Observable, Subject } from "rxjs";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { batchFrames } from "./batch.ts";
import { detectBatches, type Unnumbered } from "./detect.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import type { Detected, Frame } from "./frame.ts";
import { createGuard } from "./guard.ts";
import type { Rates } from "./meter.ts";
import { RunningStream, type StreamHost } from "./running-stream.ts";
import { openSource } from "./source.ts";
import {
  isLive,
  patched,
  redactUrl,
  schemeOf,
  type StreamConfig,
  type StreamCounts,
  type StreamPatch,
  type StreamStatus,
} from "./stream.ts";

export interface Pipeline {
  /** Hot. A frame may be used during the emission; whoever needs it longer retains it and releases it. */
  readonly detected: Observable<Detected>;
  /** Hot: each change of a stream's state. */
  readonly statuses: Observable<StreamStatus>;
  /** Hot: a stream's settings when it was added, and whenever they have changed; pausing and resuming is a change. */
  readonly configs: Observable<StreamConfig>;
  /** Hot: ids of streams that were removed. */
  readonly removed: Observable<string>;
  /** Starts a stream at once, unless it is `paused`. Fails with STREAM_EXISTS or STREAM_BAD_SCHEME. */
  add(config: StreamConfig): void;
  /**
   * New settings for a stream, at once; its books and its `seq` go on. It is decoded anew only where the source itself
   * has changed: url, loop, transport, maxFps. Gives the settings as they are now. Fails with STREAM_UNKNOWN or
   * STREAM_BAD_SCHEME, and then nothing has changed.
   */
  change(id: string, patch: StreamPatch): StreamConfig;
  /**
   * Stops decoding, and keeps the stream with its books. What is in the detector is still detected. A file that is played
   * once is held where it is. Nothing when it is paused already; STREAM_UNKNOWN when there is none.
   */
  pause(id: string): void;
  /** Goes on after a pause; nothing when there was none. */
  resume(id: string): void;
  /** Stops a stream and frees what it held; STREAM_UNKNOWN when there is none. */
  remove(id: string): Promise<void>;
  /** How each stream is doing, in the order they were added. */
  list(): StreamStatus[];
  /** STREAM_UNKNOWN when there is none. */
  status(id: string): StreamStatus;
  counts(id: string): StreamCounts;
  /** Frames a second over the last five seconds. */
  rates(id: string): Rates;
  /** Stops all streams, finishes or drops what is in flight. Idempotent. */
  close(): Promise<void>;
}

export interface PipelineOptions {
  /** Longest wait for a batch to fill, from its oldest frame. */
  readonly maxDelayMs: number;
  readonly maxDecodeWidth: number;
  /** A live stream that decodes nothing for so long is restarted. */
  readonly stallMs: number;
  /** The ffmpeg to run; looked for anew with each run when absent. */
  readonly ffmpeg?: Ffmpeg;
  /** Something went wrong that no stream's state tells: a batch failed, a file was damaged. */
  readonly onWarning?: (warning: MultiboxError) => void;
}

export function createPipeline(detector: Detector, options: PipelineOptions): Pipeline {
  return new StreamPipeline(detector, options);
}

class StreamPipeline implements Pipeline {
  readonly detected = new Subject<Detected>();
  readonly statuses = new Subject<StreamStatus>();
  readonly configs = new Subject<StreamConfig>();
  readonly removed = new Subject<string>();
  readonly #detector: Detector;
  readonly #options: PipelineOptions;
  readonly #guard = createGuard();
  readonly #streams = new Map<string, RunningStream>();
  /** Not by name: a frame of a removed stream must not get into the books of a new one with its name. */
  readonly #owners = new WeakMap<Frame, RunningStream>();
  readonly #frames = new Subject<Frame>();
  readonly #finished: Promise<void>;
  #closing: Promise<void> | undefined;

  readonly #host: StreamHost;

  constructor(detector: Detector, options: PipelineOptions) {
    this.#detector = detector;
    this.#options = options;
    const { stallMs, maxDecodeWidth, ffmpeg } = options;
    this.#host = {
      stallMs,
      open: ({ config }, hooks) =>
        openSource(config, {
          ...hooks,
          maxDecodeWidth,
          poolSize: this.#poolSize(config),
          guard: this.#guard,
          ...(ffmpeg && { ffmpeg }),
        }),
      onFrame: (stream, frame) => {
        this.#owners.set(frame, stream);
        this.#frames.next(frame);
      },
      onStatus: (status) => this.statuses.next(status),
      onWarning: (warning) => options.onWarning?.(warning),
    };
    const free = new Subject<void>();
    const batches = batchFrames({
      free,
      maxBatch: detector.maxBatch,
      maxDelayMs: options.maxDelayMs,
      onDrop: (frame, cause) => this.#owners.get(frame)?.meter.dropped(cause),
    });
    const detect = detectBatches(detector, {
      onFree: () => free.next(),
      onFailed: (frames, error) => this.#fail(frames, error),
    });
    this.#finished = new Promise((resolve) => {
      this.#frames.pipe(batches, detect).subscribe({ next: (detected) => this.#emit(detected), complete: resolve });
    });
    for (let slot = 0; slot < detector.slots; slot++) free.next();
  }

  add(config: StreamConfig): void {
    if (this.#closing) throw new MultiboxError("SERVER_STOPPING", "The server is stopping, it takes no more streams.");
    if (this.#streams.has(config.id)) {
      const sentence = `There is a stream "${config.id}" already.`;
      throw new MultiboxError("STREAM_EXISTS", sentence, "Choose another id, or remove that stream first.");
    }
    checkScheme(config);
    const stream = new RunningStream(config, this.#host);
    this.#streams.set(config.id, stream);
    this.configs.next(config);
    stream.start();
  }

  change(id: string, patch: StreamPatch): StreamConfig {
    const stream = this.#get(id);
    const config = patched(stream.config, patch);
    checkScheme(config);
    if (isDeepStrictEqual(config, stream.config)) return config;
    stream.change(config);
    this.configs.next(config);
    return config;
  }

  pause(id: string): void {
    this.change(id, { paused: true });
  }

  resume(id: string): void {
    this.change(id, { paused: null });
  }

  async remove(id: string): Promise<void> {
    const stream = this.#get(id);
    this.#streams.delete(id);
    await stream.stop();
    this.removed.next(id);
  }

  list(): StreamStatus[] {
    return [...this.#streams.values()].map(({ status }) => status);
  }

  status(id: string): StreamStatus {
    return this.#get(id).status;
  }

  counts(id: string): StreamCounts {
    return this.#get(id).meter.counts();
  }

  rates(id: string): Rates {
    return this.#get(id).meter.rates();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.stop()));
    this.#frames.complete();
    await this.#finished;
    for (const subject of [this.detected, this.statuses, this.configs, this.removed]) subject.complete();
  }

  /** What can be in the detector and what can wait for it, one being filled, and a few for sinks that keep one for a while. */
  #poolSize(config: StreamConfig): number {
    const { slots, maxBatch } = this.#detector;
    const kept = 6;
    return isLive(config) ? slots + kept : slots * maxBatch + kept;
  }

  #emit({ frame, detections, ...rest }: Unnumbered): void {
    const stream = this.#owners.get(frame)!;
    const seq = stream.meter.detected();
    if (this.#streams.get(frame.stream) === stream) {
      const { width, height } = frame.picture;
      this.detected.next({ frame, seq, detections: stream.keep(detections, width, height), ...rest });
    }
    frame.release();
    stream.settle();
  }

  #fail(frames: readonly Frame[], error: MultiboxError): void {
    for (const frame of frames) {
      const stream = this.#owners.get(frame)!;
      stream.meter.dropped("engine");
      stream.settle();
    }
    this.#options.onWarning?.(error);
  }

  #get(id: string): RunningStream {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    const known = [...this.#streams.keys()].join(", ");
    throw new MultiboxError(
      "STREAM_UNKNOWN",
      `There is no stream "${id}".`,
      known ? `Known are: ${known}.` : "There are none yet.",
    );
  }
}

function checkScheme({ url }: StreamConfig): void {
  if (schemeOf(url)) return;
  const sentence = `"${redactUrl(url)}" has a scheme that is not allowed.`;
  const hint = "Give rtsp://, rtsps://, http://, https://, or the path of a file.";
  throw new MultiboxError("STREAM_BAD_SCHEME", sentence, hint);
}
