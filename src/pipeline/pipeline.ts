// All streams: add, change, remove, watch. Sources -> batches -> detectors -> detected frames, with their books.
import { isDeepStrictEqual } from "node:util";
import { type Observable, Subject } from "rxjs";
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import type { Unnumbered } from "./detect.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { oldFfmpegWarning } from "./old-ffmpeg.ts";
import type { Detected, Frame } from "./frame.ts";
import { createGuard } from "./guard.ts";
import type { SourceReading } from "./http-images.ts";
import { InOrder } from "./in-order.ts";
import type { BatchReport, Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { type Latency, LatencyMeter } from "./latency.ts";
import type { Rates } from "./meter.ts";
import { RunningStream, type StreamFault, type StreamHost } from "./running-stream.ts";
import { seldom } from "./seldom.ts";
import { openSource } from "./source.ts";
import type { AddressRules } from "./source-input.ts";
import { StartQueue } from "./start-queue.ts";
import {
  isLive,
  patched,
  schemeOf,
  type StreamConfig,
  type StreamCounts,
  type StreamPatch,
  type StreamStatus,
  streamUnknown,
} from "./stream.ts";
import { redactUrl } from "../redact.ts";

export interface Pipeline {
  /** Hot. A frame may be used during the emission; whoever needs it longer retains it and releases it. */
  readonly detected: Observable<Detected>;
  /** Hot: each batch that is done, well or not. */
  readonly batches: Observable<BatchReport>;
  /** Hot: each change of a stream's state. */
  readonly statuses: Observable<StreamStatus>;
  /** Hot: a stream's settings when it was added, and whenever they have changed; pausing and resuming is a change. */
  readonly configs: Observable<StreamConfig>;
  /** Hot: ids of streams that were removed. */
  readonly removed: Observable<string>;
  /**
   * Starts a stream at once, unless it is `paused`. Fails with STREAM_EXISTS or STREAM_BAD_SCHEME. One with a fault is
   * `misconfigured` and not started before a change sets what is wrong with it.
   */
  add(config: StreamConfig, fault?: StreamFault): void;
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
  /**
   * From the next batch on another detector looks at the streams of a model, of the default one when none is named. No frame is
   * lost, and each stream's frames change from the old to the new one once. The pipeline closes the new one in its time.
   * Resolves when the old one is idle, and closed unless it is the one that the pipeline was made with. Fails with MODEL_NOT_OPEN.
   */
  swap(model: string | undefined, detector: Detector): Promise<void>;
  /** What looks at the streams of a model, of the default one when none is named; undefined while no stream uses it. */
  detector(model?: string): Promise<Detector | undefined>;
  /** The labels of the model that detects a stream's frames; undefined while none is open for it. STREAM_UNKNOWN when there is none. */
  modelLabels(id: string): readonly string[] | undefined;
  /** What is to be known of a stream's ffmpeg; undefined while there is nothing. STREAM_UNKNOWN when there is none. */
  ffmpegWarning(id: string): MultiboxError | undefined;
  /** Stops a stream and frees what it held; STREAM_UNKNOWN when there is none. */
  remove(id: string): Promise<void>;
  /** How each stream is doing, in the order they were added. */
  list(): StreamStatus[];
  /** STREAM_UNKNOWN when there is none. */
  status(id: string): StreamStatus;
  counts(id: string): StreamCounts;
  /** Frames a second over the last five seconds. */
  rates(id: string): Rates;
  /** How often a stream's ffmpeg was started again: after failures, changes and pauses. */
  restarts(id: string): number;
  /** Where the time of a stream's frames went lately, of all streams' when none is named; undefined while there were none. */
  latency(id?: string): Latency | undefined;
  /** Stops all streams, finishes or drops what is in flight. Idempotent. */
  close(): Promise<void>;
}

export interface PipelineOptions {
  /** Longest wait for a batch to fill, from its oldest frame. */
  readonly maxDelayMs: number;
  /** A live frame that has waited longer is not detected any more, unless a batch takes longer; 1000 when absent. */
  readonly maxAgeMs?: number;
  /** Opens a model that a stream names; without it there is only the default one. */
  readonly openModel?: (name: string) => Promise<Detector>;
  /** The name of the pipeline's detector, for streams that name it. */
  readonly defaultModel?: string;
  /** Most models that are open at the same time, the default one among them; 4 when absent. */
  readonly maxModels?: number;
  readonly maxDecodeWidth: number;
  /** A live stream that decodes nothing for so long is restarted. */
  readonly stallMs: number;
  /** What `seq` a stream begins with, so that it goes on where it was before a restart; 0 when absent. */
  readonly firstSeq?: (stream: string) => number;
  /** The ffmpeg to run; looked for anew with each run when absent. */
  readonly ffmpeg?: Ffmpeg;
  /** Where URLs of some streams may lead to; anywhere when absent. */
  readonly addresses?: AddressRules | undefined;
  /** Something went wrong that no stream's state tells: a batch failed, a file was damaged. */
  readonly onWarning?: (warning: MultiboxError) => void;
}

export function createPipeline(detector: Detector, options: PipelineOptions): Pipeline {
  return new StreamPipeline(detector, options);
}

class StreamPipeline implements Pipeline {
  readonly detected = new Subject<Detected>();
  readonly batches = new Subject<BatchReport>();
  readonly statuses = new Subject<StreamStatus>();
  readonly configs = new Subject<StreamConfig>();
  readonly removed = new Subject<string>();
  readonly #options: PipelineOptions;
  readonly #latency = new LatencyMeter();
  readonly #guard = createGuard();
  readonly #starts = new StartQueue();
  readonly #streams = new Map<string, RunningStream>();
  /** Not by name: a frame of a removed stream must not get into the books of a new one with its name. */
  readonly #owners = new WeakMap<Frame, RunningStream>();
  /** What was found out about sources; until their configuration changes. */
  readonly #readings = new WeakMap<StreamConfig, SourceReading>();
  readonly #lanes: Lanes;
  readonly #host: StreamHost;
  #closing: Promise<void> | undefined;

  constructor(detector: Detector, options: PipelineOptions) {
    this.#options = options;
    const { maxDelayMs, maxAgeMs = 1000, maxModels = 4, openModel, defaultModel } = options;
    const warn = seldom((error) => options.onWarning?.(error));
    this.#lanes = new Lanes(detector, {
      maxDelayMs,
      maxAgeMs,
      maxModels,
      openModel,
      defaultModel,
      order: new InOrder(),
      weightOf: (frame) => this.#owner(frame).config.priority ?? 1,
      onDrop: (frame, cause) => this.#owner(frame).dropped(cause),
      onDetected: (detected) => this.#emit(detected),
      onFailed: (frames, error) => {
        for (const frame of frames) this.#owner(frame).dropped("engine");
        warn(error);
      },
      onBatch: (report) => this.batches.next(report),
    });
    this.#host = {
      stallMs: options.stallMs,
      lanes: this.#lanes,
      open: (config, lane, hooks) => this.#open(config, lane, hooks),
      onFrame: (stream, frame) => this.#owners.set(frame, stream),
      onStatus: (status) => this.statuses.next(status),
      warningOf: (config) => oldFfmpegWarning(config, options.ffmpeg),
      onWarning: (warning) => options.onWarning?.(warning),
    };
  }

  add(config: StreamConfig, fault?: StreamFault): void {
    if (this.#closing) throw new MultiboxError("SERVER_STOPPING", "The server is stopping, it takes no more streams.");
    if (this.#streams.has(config.id)) {
      const sentence = `There is a stream "${config.id}" already.`;
      throw new MultiboxError("STREAM_EXISTS", sentence, "Choose another id, or remove that stream first.");
    }
    if (!fault) checkScheme(config);
    const stream = new RunningStream(config, this.#host, this.#options.firstSeq?.(config.id), fault);
    this.#streams.set(config.id, stream);
    this.configs.next(config);
    stream.start();
  }

  change(id: string, patch: StreamPatch): StreamConfig {
    const stream = this.#get(id);
    const config = patched(stream.config, patch);
    checkScheme(config);
    if (!stream.isFaulty && isDeepStrictEqual(config, stream.config)) return config;
    stream.change(config, patch);
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

  swap(model: string | undefined, detector: Detector): Promise<void> {
    return this.#lanes.swap(model, detector);
  }

  detector(model?: string): Promise<Detector | undefined> {
    return this.#lanes.detector(model);
  }

  list(): StreamStatus[] {
    return [...this.#streams.values()].map(({ status }) => status);
  }

  status(id: string): StreamStatus {
    return this.#get(id).status;
  }

  modelLabels(id: string): readonly string[] | undefined {
    return this.#get(id).modelLabels;
  }

  ffmpegWarning(id: string): MultiboxError | undefined {
    return oldFfmpegWarning(this.status(id).config, this.#options.ffmpeg);
  }

  counts(id: string): StreamCounts {
    return this.#get(id).meter.counts();
  }

  rates(id: string): Rates {
    return this.#get(id).meter.rates();
  }

  restarts(id: string): number {
    return this.#get(id).restarts;
  }

  latency(id?: string): Latency | undefined {
    return (id === undefined ? this.#latency : this.#get(id).latency).latency();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.stop()));
    await this.#lanes.close();
    for (const subject of [this.detected, this.batches, this.statuses, this.configs, this.removed]) subject.complete();
  }

  #open(config: StreamConfig, lane: Lane, hooks: Parameters<StreamHost["open"]>[2]): Observable<Frame> {
    const { maxDecodeWidth, ffmpeg } = this.#options;
    const poolSize = poolSizeOf(config, lane.detector);
    const shared = {
      guard: this.#guard,
      starts: this.#starts,
      addresses: this.#options.addresses,
      ...(ffmpeg && { ffmpeg }),
    };
    const reading = this.#readings.get(config) ?? {};
    this.#readings.set(config, reading);
    return openSource(config, { ...hooks, ...shared, reading, maxDecodeWidth, poolSize });
  }

  #emit({ frame, detections, ...rest }: Unnumbered): void {
    const stream = this.#owner(frame);
    const seq = stream.detected(rest.timing);
    this.#latency.record(rest.timing);
    if (this.#streams.get(frame.stream) === stream) {
      const { width, height } = frame.picture;
      this.detected.next({ frame, seq, detections: stream.keep(detections, width, height), ...rest });
    }
    frame.release();
    stream.settle();
  }

  #owner(frame: Frame): RunningStream {
    return this.#owners.get(frame)!;
  }

  #get(id: string): RunningStream {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    throw streamUnknown(id);
  }
}

/** What can be in the detector and what can wait for it, one being filled, and a few for sinks that keep one for a while. */
function poolSizeOf(config: StreamConfig, { slots, maxBatch }: Detector): number {
  const kept = 6;
  return isLive(config) ? slots + kept : slots * maxBatch + kept;
}

function checkScheme({ url }: StreamConfig): void {
  if (schemeOf(url)) return;
  const sentence = `"${redactUrl(url)}" has a scheme that is not allowed.`;
  const hint = "Give rtsp://, rtsps://, http://, https://, or the path of a file.";
  throw new MultiboxError("STREAM_BAD_SCHEME", sentence, hint);
}
