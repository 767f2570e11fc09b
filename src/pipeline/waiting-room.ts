// Frames that wait for a detector: whose turn it is, which have grown too old, and for whom it is worth waiting.
import type { DropCause, Frame } from "./frame.ts";
import type { Pace } from "./pace.ts";

/** A frame that waits for the engine, and since when on the clock of `WaitingRoomOptions.now`. */
export interface WaitingFrame {
  readonly frame: Frame;
  readonly since: number;
}

export interface WaitingRoomOptions {
  /** Asked anew each time, because a detector may be replaced by another. */
  readonly maxBatch: () => number;
  /** A batch that is not full goes when its oldest frame has waited for so long. */
  readonly maxDelayMs: number;
  /** A live frame that has waited longer is not detected any more, unless batches themselves take longer. */
  readonly maxAgeMs: number;
  /** How the detector's last batches went. */
  readonly pace: () => Pace;
  /** The weight of the frame's stream, 1 or more. */
  readonly weightOf: (frame: Frame) => number;
  /** Told of a frame that will not be in any batch; it is released afterwards. */
  readonly onDrop: (frame: Frame, cause: DropCause) => void;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

interface StreamQueue {
  readonly waiting: WaitingFrame[];
  /** What the stream has had, in frames divided by its weight: the one that has had least comes first. */
  had: number;
  /**
   * Since when it is waiting for its turn: for its first frame, or for the next one after a turn. Not the age of its
   * oldest frame: a file's frames grow old while a camera's are superseded, and it would always come first.
   */
  turn: number;
  lastArrival: number;
  /** Between the last two arrivals; unknown at first. */
  interval: number | undefined;
}

/**
 * A live stream has at most one frame waiting, the newest; a file's frames all wait, in order. Turns go by start-time fair
 * queuing (Goyal, Vin and Cheng, SIGCOMM 1996): with equal weights one frame a stream in turn, else in proportion to the
 * weights. A stream that was silent is owed a few frames and no more: so a slow camera comes first when it has a picture, one
 * whose frames grew old because batches took longer than usual makes up for it, and one that comes back after an hour does not.
 */
export class WaitingRoom {
  readonly #queues = new Map<string, StreamQueue>();
  readonly #options: WaitingRoomOptions;
  /** What the stream that was served last had had by then. */
  #level = 0;
  #lastTake = -Infinity;
  #size = 0;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  add(frame: Frame): void {
    const now = this.#options.now();
    const known = this.#queues.get(frame.stream);
    const queue = known ?? { waiting: [], had: 0, turn: now, lastArrival: now, interval: undefined };
    if (queue.waiting.length === 0) {
      queue.had = Math.max(queue.had, this.#level - OWED / this.#options.weightOf(frame));
      queue.turn = now;
    }
    if (known) queue.interval = now - queue.lastArrival;
    queue.lastArrival = now;
    this.#queues.set(frame.stream, queue);
    if (frame.live) this.#drop(queue, "superseded");
    queue.waiting.push({ frame, since: now });
    this.#size += 1;
  }

  /** Milliseconds that the batch should still wait to fill; 0 when it should go. */
  patienceMs(): number {
    const { now, maxDelayMs, maxBatch } = this.#options;
    const time = now();
    const deadline = this.#oldest() + maxDelayMs;
    if (this.#size >= maxBatch() || time >= deadline) return 0;
    // Worth waiting for is only a stream whose next frame is due before the deadline. One that is overdue has fallen
    // silent, and what is not yet known to come again is not waited for.
    for (const { waiting, lastArrival, interval } of this.#queues.values()) {
      if (waiting.length > 0 || interval === undefined) continue;
      const due = lastArrival + interval;
      if (due <= deadline && due + maxDelayMs >= time) return deadline - time;
    }
    return 0;
  }

  /** The next batch, those whose turn it is first; empty when all that waited was too old. */
  take(): WaitingFrame[] {
    const { now, maxBatch, weightOf } = this.#options;
    const time = now();
    this.#dropStale(time);
    this.#lastTake = time;
    const batch: WaitingFrame[] = [];
    for (let next = this.#next(); next && batch.length < maxBatch(); next = this.#next()) {
      const first = next.waiting.shift()!;
      batch.push(first);
      this.#size -= 1;
      this.#level = next.had;
      next.had += 1 / weightOf(first.frame);
      next.turn = time;
    }
    this.#forgetSilent(time);
    return batch;
  }

  /** Takes the frames of one stream out; they are the caller's. */
  withdraw(stream: string): Frame[] {
    const waiting = this.#queues.get(stream)?.waiting ?? [];
    this.#size -= waiting.length;
    this.#queues.delete(stream);
    return waiting.map(({ frame }) => frame);
  }

  /** Whose turn it is: who has had least, and of those who has waited longest. */
  #next(): StreamQueue | undefined {
    let next: StreamQueue | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.waiting.length === 0) continue;
      if (!next || queue.had < next.had || (queue.had === next.had && queue.turn < next.turn)) next = queue;
    }
    return next;
  }

  /**
   * Live frames that are too old at any time, and, while there is too much to do, those that were passed over and have waited longer
   * than a batch takes: nobody's delay adds up, every frame has had its chance, and none is lost for a hiccup of a detector that
   * has time to spare. Where fresher ones fill the batch, so do all that were passed over, and those that would be detected later than
   * twice the delay and a batch if theirs is as long as the longest of late; but for streams that are behind.
   */
  #dropStale(time: number): void {
    const { maxAgeMs, maxDelayMs, maxBatch, pace } = this.#options;
    const { typicalMs, longestMs, busy } = pace();
    const chance = maxDelayMs + typicalMs;
    this.#dropOlder(time - Math.max(maxAgeMs, chance));
    if (busy < OVERLOADED) return;
    this.#dropOlder(Math.min(time - chance, this.#lastTake));
    for (const limit of [this.#lastTake, time - (2 * chance - longestMs)]) {
      if (this.#countSince(limit) >= maxBatch()) this.#dropOlder(limit, BEHIND);
    }
  }

  /** How many wait no longer than since then, or may wait as long as they like. */
  #countSince(limit: number): number {
    let count = 0;
    for (const { waiting } of this.#queues.values()) {
      for (const { frame, since } of waiting) if (!frame.live || since >= limit) count += 1;
    }
    return count;
  }

  /** But not of a stream that has had `behind` frames less than the one that was served last. */
  #dropOlder(limit: number, behind = Infinity): void {
    for (const queue of this.#queues.values()) {
      const [first] = queue.waiting;
      if (!first?.frame.live || first.since >= limit) continue;
      if (queue.had <= this.#level - behind / this.#options.weightOf(first.frame)) continue;
      this.#drop(queue, "stale");
    }
  }

  #drop(queue: StreamQueue, cause: DropCause): void {
    const dropped = queue.waiting.shift();
    if (!dropped) return;
    this.#size -= 1;
    this.#options.onDrop(dropped.frame, cause);
    dropped.frame.release();
  }

  #oldest(): number {
    let oldest = Infinity;
    for (const { waiting } of this.#queues.values()) oldest = Math.min(oldest, waiting[0]?.since ?? Infinity);
    return oldest;
  }

  /** Streams come and go for months; their queues must not stay. */
  #forgetSilent(time: number): void {
    for (const [stream, { waiting, lastArrival }] of this.#queues) {
      if (waiting.length === 0 && time - lastArrival > FORGET_AFTER_MS) this.#queues.delete(stream);
    }
  }
}

/** Frames. With one, batches of uneven length cost single cameras of 32 a third of their share; with eight, none a tenth. */
const OWED = 8;
/** Frames. So far behind, a stream's next one is detected somewhat late rather than not at all. */
const BEHIND = 4;
/** A detector that works so much of the time has none to spare. */
const OVERLOADED = 0.95;
const FORGET_AFTER_MS = 60_000;
