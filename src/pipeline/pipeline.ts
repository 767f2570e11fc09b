// All streams of one detector: add, remove, watch. Sources -> batches -> detector -> detected frames, with their books.
import { type Observable, Subject, Subscription, tap } from "rxjs";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { batchFrames } from "./batch.ts";
import { detectBatches, type Unnumbered } from "./detect.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import type { Detected, Frame } from "./frame.ts";
import { createGuard } from "./guard.ts";
import { type Rates, StreamMeter } from "./meter.ts";
import { openSource } from "./source.ts";
import { isLive, redactUrl, schemeOf, type StreamConfig, type StreamCounts, type StreamStatus } from "./stream.ts";
import { supervise } from "./supervise.ts";

export interface Pipeline {
  /** Hot. A frame may be used during the emission; whoever needs it longer retains it and releases it. */
  readonly detected: Observable<Detected>;
  /** Hot: each change of a stream's state. */
  readonly statuses: Observable<StreamStatus>;
  /** Hot: ids of streams that were removed. */
  readonly removed: Observable<string>;
  /** Starts a stream at once. Fails with STREAM_EXISTS or STREAM_BAD_SCHEME. */
  add(config: StreamConfig): void;
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

interface RunningStream {
  status: StreamStatus;
  readonly meter: StreamMeter;
  readonly subscription: Subscription;
  /** A file that was damaged or cut short is said to be so when it has ended. */
  damage?: MultiboxError;
  /** To be told once no frame is in flight. */
  onSettled?: (() => void) | undefined;
  /** Runs of ffmpeg that are not gone yet. */
  runs: number;
  onGone: () => void;
}

class StreamPipeline implements Pipeline {
  readonly detected = new Subject<Detected>();
  readonly statuses = new Subject<StreamStatus>();
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

  constructor(detector: Detector, options: PipelineOptions) {
    this.#detector = detector;
    this.#options = options;
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
    if (!schemeOf(config.url)) {
      const sentence = `"${redactUrl(config.url)}" has a scheme that is not allowed.`;
      throw new MultiboxError(
        "STREAM_BAD_SCHEME",
        sentence,
        "Give rtsp://, rtsps://, http://, https://, or the path of a file.",
      );
    }
    const stream: RunningStream = {
      status: { config, state: "connecting", since: Date.now() },
      meter: new StreamMeter(),
      subscription: new Subscription(),
      runs: 0,
      onGone: () => {},
    };
    this.#streams.set(config.id, stream);
    const frames = supervise(config, (alive) => this.#open(stream, alive), {
      stallMs: this.#options.stallMs,
      onState: (state, error) => {
        const say = (): void => {
          stream.status = { ...stream.status, state, since: Date.now(), error: error ?? stream.damage };
          this.statuses.next(stream.status);
        };
        // A file has ended when its last frame is detected, not when it is decoded: who waits for it wants all of it.
        if (state === "ended" && stream.meter.inFlight > 0) stream.onSettled = say;
        else say();
      },
    });
    stream.subscription.add(
      frames.subscribe((frame) => {
        this.#owners.set(frame, stream);
        this.#frames.next(frame);
      }),
    );
  }

  async remove(id: string): Promise<void> {
    const stream = this.#get(id);
    this.#streams.delete(id);
    await stop(stream);
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
    await Promise.all([...this.#streams.values()].map(stop));
    this.#frames.complete();
    await this.#finished;
    for (const subject of [this.detected, this.statuses, this.removed]) subject.complete();
  }

  /** One run of the stream's source, with its books kept. */
  #open(stream: RunningStream, alive: () => void): Observable<Frame> {
    const { meter, status } = stream;
    stream.runs += 1;
    return openSource(status.config, {
      maxDecodeWidth: this.#options.maxDecodeWidth,
      poolSize: this.#poolSize(status.config),
      guard: this.#guard,
      ...(this.#options.ffmpeg && { ffmpeg: this.#options.ffmpeg }),
      onDecoded: () => {
        alive();
        meter.decoded();
      },
      onDrop: (cause) => meter.dropped(cause),
      onClosed: () => {
        stream.runs -= 1;
        if (stream.runs === 0) stream.onGone();
      },
      onWarning: (warning) => {
        stream.damage = warning;
        this.#options.onWarning?.(warning);
      },
    }).pipe(
      tap(({ picture: { width, height } }) => {
        const { size } = stream.status;
        if (size?.width !== width || size.height !== height)
          stream.status = { ...stream.status, size: { width, height } };
      }),
    );
  }

  /** What can be in the detector and what can wait for it, one being filled, and a few for sinks that keep one for a while. */
  #poolSize(config: StreamConfig): number {
    const { slots, maxBatch } = this.#detector;
    const kept = 6;
    return isLive(config) ? slots + kept : slots * maxBatch + kept;
  }

  #emit({ frame, ...rest }: Unnumbered): void {
    const stream = this.#owners.get(frame)!;
    const seq = stream.meter.detected();
    if (this.#streams.get(frame.stream) === stream) this.detected.next({ frame, seq, ...rest });
    frame.release();
    settle(stream);
  }

  #fail(frames: readonly Frame[], error: MultiboxError): void {
    for (const frame of frames) {
      const stream = this.#owners.get(frame)!;
      stream.meter.dropped("engine");
      settle(stream);
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

function settle(stream: RunningStream): void {
  if (stream.meter.inFlight > 0) return;
  const { onSettled } = stream;
  stream.onSettled = undefined;
  onSettled?.();
}

/** Resolves when no ffmpeg of the stream runs any more. */
function stop(stream: RunningStream): Promise<void> {
  return new Promise((resolve) => {
    stream.onGone = resolve;
    stream.subscription.unsubscribe();
    if (stream.runs === 0) resolve();
  });
}
