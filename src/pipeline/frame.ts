// One decoded picture of a stream, and the pool of shared buffers that pictures live in until their last reader is done.
import { pictureBytes, type ColourTags, type Detection, type YuvImage } from "../model/detection.ts";

/** One decoded picture of one stream. Whoever keeps it past its own turn calls `retain`, and later `release`. */
export interface Frame {
  readonly stream: string;
  /** Counts the decoded pictures of the stream's current run, from 0. */
  readonly index: number;
  /** Presentation time from the source, in seconds; never falls within a run. */
  readonly pts: number;
  /** The time as a file has it, where its clock has jumped and `pts` is another one (see file-clock.ts). */
  readonly sourcePts?: number;
  /** Wall-clock time of arrival, in milliseconds since the epoch. */
  readonly time: number;
  /** A live stream's frame may be replaced by a newer one; a file's never is. */
  readonly live: boolean;
  readonly picture: YuvImage;
  retain(): void;
  release(): void;
}

/** What the detector says of one frame. */
export interface Detected {
  readonly frame: Frame;
  /** Rises by one with each detected frame of a stream, over reconnects too. */
  readonly seq: number;
  readonly detections: readonly Detection[];
  readonly model: { readonly name: string; readonly version: string };
  /** Milliseconds: waiting for the engine, in the detector (its whole batch), and from arrival to now. */
  readonly timing: { readonly queueMs: number; readonly inferMs: number; readonly totalMs: number };
}

/** Why a frame was not detected. */
export type DropCause = "superseded" | "stale" | "no-buffer" | "engine" | "closed";

/** What a frame is made of, without its buffer's bookkeeping. */
export interface FrameInfo {
  readonly stream: string;
  readonly index: number;
  readonly pts: number;
  readonly sourcePts?: number;
  readonly time: number;
  readonly live: boolean;
}

/** A borrowed buffer, being filled: `commit` makes a frame of it (held once), `giveBack` returns it unused. */
export interface FrameSlot {
  readonly data: Uint8Array;
  commit(info: FrameInfo): Frame;
  giveBack(): void;
}

/**
 * A bounded set of equal buffers for the pictures of one source. Buffers are shared memory, so that a worker thread
 * reads them where they lie. The bound is the back-pressure: a file is not read while no buffer is free.
 */
export class FramePool {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];
  #made = 0;
  readonly width: number;
  readonly height: number;
  readonly colour: ColourTags;
  readonly capacity: number;

  constructor(width: number, height: number, colour: ColourTags, capacity: number) {
    this.width = width;
    this.height = height;
    this.colour = colour;
    this.capacity = capacity;
  }

  /** Buffers that are lent out. */
  get lent(): number {
    return this.#made - this.#free.length;
  }

  /** A free buffer, or undefined when all are lent out. */
  tryTake(): FrameSlot | undefined {
    const data = this.#free.pop() ?? this.#make();
    return data && this.#slot(data);
  }

  /** Calls back once when a buffer has come free; at once when one is. */
  whenFree(callback: () => void): void {
    if (this.#free.length > 0 || this.#made < this.capacity) callback();
    else this.#waiting.push(callback);
  }

  /** Calls back once when the next buffer comes back, whether others are free or not. */
  whenReleased(callback: () => void): void {
    this.#waiting.push(callback);
  }

  #make(): Uint8Array | undefined {
    if (this.#made >= this.capacity) return undefined;
    this.#made += 1;
    return new Uint8Array(new SharedArrayBuffer(pictureBytes("yuv420p", this.width, this.height)));
  }

  #put(data: Uint8Array): void {
    this.#free.push(data);
    this.#waiting.shift()?.();
  }

  #slot(data: Uint8Array): FrameSlot {
    let spent = false;
    const spend = (): void => {
      if (spent) throw new Error("A frame slot was used twice.");
      spent = true;
    };
    return {
      data,
      giveBack: () => {
        spend();
        this.#put(data);
      },
      commit: (info) => {
        spend();
        let holders = 1;
        const { width, height, colour } = this;
        return {
          ...info,
          picture: { format: "yuv420p", width, height, data, colour },
          retain: () => {
            if (holders === 0) throw new Error("A released frame was retained.");
            holders += 1;
          },
          release: () => {
            if (holders === 0) throw new Error("A frame was released twice.");
            holders -= 1;
            if (holders === 0) this.#put(data);
          },
        };
      },
    };
  }
}
