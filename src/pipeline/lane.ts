// The way of frames through one model: they wait, go in batches through its detector, and come out as detected frames.
import type { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { Batcher, type BatchOptions } from "./batch.ts";
import { detectBatches, type Unnumbered } from "./detect.ts";
import type { Frame } from "./frame.ts";
import type { InOrder } from "./in-order.ts";
import { PaceMeter } from "./pace.ts";

/** What became of one batch. */
export interface BatchReport {
  readonly model: { readonly name: string; readonly version: string };
  /** Frames in it, and how many there could have been. */
  readonly size: number;
  readonly maxBatch: number;
  /** In the detector. */
  readonly ms: number;
}

export interface LaneOptions extends Pick<BatchOptions, "maxDelayMs" | "maxAgeMs" | "weightOf" | "onDrop"> {
  /** Shared by all lanes, so that a stream's frames come in order when it changes from one to another. */
  readonly order: InOrder;
  /** A frame was detected; it is the receiver's to release. */
  readonly onDetected: (detected: Unnumbered) => void;
  /** A batch failed; its frames are released afterwards. */
  readonly onFailed: (frames: readonly Frame[], error: MultiboxError) => void;
  /** A batch is done, well or not. */
  readonly onBatch: (report: BatchReport) => void;
}

export class Lane {
  #detector: Detector;
  readonly #batcher: Batcher;
  readonly #finished: Promise<void>;
  /** Batches in each detector: a replaced one may still have some. */
  readonly #busy = new Map<Detector, number>();
  readonly #onIdle = new Map<Detector, () => void>();
  readonly #pace = new PaceMeter();

  constructor(detector: Detector, options: LaneOptions) {
    this.#detector = detector;
    const { maxDelayMs, maxAgeMs, weightOf, onDrop, order, onFailed, onDetected } = options;
    this.#batcher = new Batcher({
      maxBatch: () => this.#detector.maxBatch,
      pace: () => this.#pace.pace(this.#detector.slots, performance.now()),
      maxDelayMs,
      maxAgeMs,
      weightOf,
      onDrop,
    });
    const detect = detectBatches({
      order,
      onFailed,
      detector: () => this.#enter(),
      onDone: (used, { length: size }, ms) => {
        this.#pace.record(ms, performance.now());
        options.onBatch({ model: used.info.model, size, maxBatch: used.maxBatch, ms });
        this.#leave(used);
      },
    });
    this.#finished = new Promise((resolve) => {
      this.#batcher.batches.pipe(detect).subscribe({ next: onDetected, complete: resolve });
    });
    this.#batcher.grant(detector.slots);
  }

  /** The one that the next batch goes to. */
  get detector(): Detector {
    return this.#detector;
  }

  push(frame: Frame): void {
    this.#batcher.add(frame);
  }

  /** Takes the frames of a stream that wait out of the lane; they are the caller's. */
  withdraw(stream: string): Frame[] {
    return this.#batcher.withdraw(stream);
  }

  /**
   * From the next batch on another detector works here. Batches that are in the old one are finished there, and their
   * frames come out before those of the new one, stream by stream. Resolves with the old one, when it is idle.
   */
  async swap(detector: Detector): Promise<Detector> {
    const old = this.#detector;
    const inOld = this.#busy.get(old) ?? 0;
    const inNew = this.#busy.get(detector) ?? 0;
    this.#detector = detector;
    this.#batcher.grant(detector.slots - inNew - (old.slots - inOld));
    if (inOld > 0 && old !== detector) await new Promise<void>((resolve) => this.#onIdle.set(old, resolve));
    return old;
  }

  /** Takes no more frames; resolves when all that were taken are detected. */
  async close(): Promise<void> {
    this.#batcher.end();
    await this.#finished;
  }

  #enter(): Detector {
    this.#busy.set(this.#detector, (this.#busy.get(this.#detector) ?? 0) + 1);
    return this.#detector;
  }

  #leave(detector: Detector): void {
    const left = this.#busy.get(detector)! - 1;
    if (left > 0) this.#busy.set(detector, left);
    else {
      this.#busy.delete(detector);
      this.#onIdle.get(detector)?.();
      this.#onIdle.delete(detector);
    }
    if (detector === this.#detector) this.#batcher.grant(1);
  }
}
