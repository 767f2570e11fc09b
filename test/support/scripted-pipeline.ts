// A pipeline that a test plays by hand: real frames in real pooled buffers, but no ffmpeg and no network behind them.
import { Subject } from "rxjs";
import { MultiboxError } from "../../src/errors.ts";
import type { ColourTags, Detection } from "../../src/model/detection.ts";
import { FramePool, type Detected, type Frame } from "../../src/pipeline/frame.ts";
import type { BatchReport } from "../../src/pipeline/lane.ts";
import type { Pipeline } from "../../src/pipeline/pipeline.ts";
import type { StreamFault } from "../../src/pipeline/running-stream.ts";
import {
  patched,
  type StreamConfig,
  type StreamCounts,
  type StreamPatch,
  type StreamStatus,
  streamUnknown,
} from "../../src/pipeline/stream.ts";

/** One colour of a picture, as a decoder writes it. */
export type Yuv = readonly [y: number, u: number, v: number];

/** BT.601 limited range. */
export const RED: Yuv = [81, 90, 240];
const GREY: Yuv = [126, 128, 128];

export interface ScriptOptions {
  readonly width?: number;
  readonly height?: number;
  readonly poolSize?: number;
  readonly colour?: ColourTags;
}

export class ScriptedPipeline implements Pipeline {
  readonly detected = new Subject<Detected>();
  readonly batches = new Subject<BatchReport>();
  readonly statuses = new Subject<StreamStatus>();
  readonly configs = new Subject<StreamConfig>();
  readonly removed = new Subject<string>();
  readonly pool: FramePool;
  readonly #streams = new Map<string, { status: StreamStatus; shown: number }>();

  constructor({
    width = 320,
    height = 180,
    poolSize = 8,
    colour = { matrix: "bt601", fullRange: false },
  }: ScriptOptions = {}) {
    this.pool = new FramePool(width, height, colour, poolSize);
  }

  /** How many watch the detected frames. */
  get observers(): number {
    return this.detected.observers.length;
  }

  add(config: StreamConfig, fault?: StreamFault): void {
    if (this.#streams.has(config.id)) {
      throw new MultiboxError("STREAM_EXISTS", `There is a stream "${config.id}" already.`);
    }
    this.#streams.set(config.id, {
      status: {
        config,
        since: 0,
        ...(fault ? { state: "misconfigured", error: fault.error } : { state: "connecting" }),
      },
      shown: 0,
    });
    this.configs.next(config);
    this.statuses.next(this.status(config.id));
  }

  /** Adds a looped file as a stream. */
  addStream(id: string, url = `/videos/${id}.mp4`): void {
    this.add({ id, url, loop: true, transport: "tcp" });
  }

  remove(id: string): Promise<void> {
    this.#stream(id);
    this.#streams.delete(id);
    this.removed.next(id);
    return Promise.resolve();
  }

  list(): StreamStatus[] {
    return [...this.#streams.values()].map(({ status }) => status);
  }

  status(id: string): StreamStatus {
    return this.#stream(id).status;
  }

  /** As if the stream had come into this state. */
  setStatus(id: string, change: Partial<StreamStatus>): void {
    const stream = this.#stream(id);
    stream.status = { ...stream.status, ...change };
    this.statuses.next(stream.status);
  }

  change(id: string, patch: StreamPatch): StreamConfig {
    const { config, state } = this.status(id);
    const next = patched(config, patch);
    this.configs.next(next);
    if (next.paused === config.paused) this.#stream(id).status = { ...this.status(id), config: next };
    else
      this.setStatus(id, { config: next, state: next.paused ? "paused" : state === "paused" ? "connecting" : state });
    return next;
  }

  /** Of the model of all streams; none is open when undefined. */
  labels: readonly string[] | undefined;

  modelLabels(): readonly string[] | undefined {
    return this.labels;
  }

  ffmpegWarning(): undefined {
    return undefined;
  }

  latency(): undefined {
    return undefined;
  }

  swap(): Promise<void> {
    return Promise.resolve();
  }

  detector(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  pause(id: string): void {
    this.change(id, { paused: true });
  }

  resume(id: string): void {
    this.change(id, { paused: null });
  }

  /** As if two frames more than the detected ones had come: one superseded, one still on its way. */
  counts(id: string): StreamCounts {
    const { shown } = this.#stream(id);
    return { decoded: shown + 2, detected: shown, inFlight: 1, dropped: { superseded: 1 } };
  }

  rates(id: string): { decoded: number; detected: number } {
    this.#stream(id);
    return { decoded: 25, detected: 12.5 };
  }

  restarts(id: string): number {
    this.#stream(id);
    return 3;
  }

  /** One frame of one colour goes through, with what was found in it. Returns false when no buffer is free. */
  show(stream: string, detections: readonly Detection[] = [], colour: Yuv = GREY): boolean {
    const frame = this.#frame(stream, colour);
    if (!frame) return false;
    const state = this.#stream(stream);
    const seq = state.shown;
    state.shown += 1;
    this.detected.next({
      frame,
      seq,
      detections,
      model: { name: "scripted", version: "1" },
      timing: { queueMs: 1, inferMs: 10, totalMs: 12.345678 },
    });
    frame.release();
    return true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #frame(stream: string, [y, u, v]: Yuv): Frame | undefined {
    const slot = this.pool.tryTake();
    if (!slot) return undefined;
    const luma = this.pool.width * this.pool.height;
    const chroma = (slot.data.length - luma) / 2;
    slot.data
      .fill(y, 0, luma)
      .fill(u, luma, luma + chroma)
      .fill(v, luma + chroma);
    const index = this.#stream(stream).shown;
    return slot.commit({ stream, index, pts: index / 25, time: 1_700_000_000_000 + index * 40, live: true });
  }

  #stream(id: string): { status: StreamStatus; shown: number } {
    const stream = this.#streams.get(id);
    if (!stream) throw streamUnknown(id);
    return stream;
  }
}

export function found(label: string, score: number): Detection {
  return { label, score, classId: 1, bbox: [10, 20, 30.5, 40.25] };
}
