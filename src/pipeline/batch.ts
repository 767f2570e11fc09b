// Gathers the frames of all streams into batches, pulled by the engine: it takes what waits when it is free.
import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike, type Subscription } from "rxjs";
import type { DropCause, Frame } from "./frame.ts";

/** A frame that waits for the engine, and since when on the clock of `BatchOptions.now`. */
export interface WaitingFrame {
  readonly frame: Frame;
  readonly since: number;
}

export interface BatchOptions {
  /** Each emission is the engine's word that it takes one more batch. */
  readonly free: Observable<void>;
  readonly maxBatch: number;
  /** A batch that is not full goes when its oldest frame has waited for so long. */
  readonly maxDelayMs: number;
  /** Told of a frame that will not be in any batch; it is released afterwards. */
  readonly onDrop: (frame: Frame, cause: DropCause) => void;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
  readonly scheduler?: SchedulerLike;
}

/**
 * Frames in, batches out; each frame of a batch is the receiver's to release. A live stream has at most one frame waiting, the
 * newest; a file's frames all wait, in order. A batch has one frame a stream while other streams wait; who was served longest
 * ago comes first.
 */
export function batchFrames(options: BatchOptions): OperatorFunction<Frame, WaitingFrame[]> {
  return (frames) =>
    new Observable((subscriber) => {
      const room = new WaitingRoom(options);
      const scheduler = options.scheduler ?? asyncScheduler;
      let grants = 0;
      let ended = false;
      let alarm: Subscription | undefined;
      const serve = (): void => {
        alarm?.unsubscribe();
        while (grants > 0 && room.size > 0) {
          const patience = ended ? 0 : room.patienceMs();
          if (patience > 0) {
            alarm = scheduler.schedule(serve, patience);
            return;
          }
          grants -= 1;
          subscriber.next(room.take());
        }
        if (ended && room.size === 0) subscriber.complete();
      };
      subscriber.add(() => {
        alarm?.unsubscribe();
        room.clear();
      });
      subscriber.add(
        options.free.subscribe(() => {
          grants += 1;
          serve();
        }),
      );
      subscriber.add(
        frames.subscribe({
          next: (frame) => {
            room.add(frame);
            serve();
          },
          error: (error) => subscriber.error(error),
          complete: () => {
            ended = true;
            serve();
          },
        }),
      );
    });
}

interface StreamQueue {
  readonly waiting: WaitingFrame[];
  /**
   * Since when it is waiting for its turn: for its first frame, or for the next one after a turn. Not the age of its
   * oldest frame: a file's frames grow old while a camera's are superseded, and it would always come first.
   */
  turn: number;
  lastArrival: number;
  /** Between the last two arrivals; unknown at first. */
  interval: number | undefined;
}

/** Who waits, and for whom it is worth waiting. */
class WaitingRoom {
  readonly #queues = new Map<string, StreamQueue>();
  readonly #options: BatchOptions;
  readonly #now: () => number;
  #size = 0;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#size;
  }

  add(frame: Frame): void {
    const now = this.#now();
    const queue = this.#queues.get(frame.stream) ?? { waiting: [], turn: now, lastArrival: now, interval: undefined };
    if (queue.waiting.length === 0) queue.turn = now;
    if (this.#queues.has(frame.stream)) queue.interval = now - queue.lastArrival;
    queue.lastArrival = now;
    this.#queues.set(frame.stream, queue);
    const older = frame.live ? queue.waiting.pop() : undefined;
    if (older) this.#drop(older.frame, "superseded");
    queue.waiting.push({ frame, since: now });
    this.#size += 1;
  }

  /** Milliseconds that the batch should still wait to fill; 0 when it should go. */
  patienceMs(): number {
    const now = this.#now();
    const deadline = this.#oldest() + this.#options.maxDelayMs;
    if (this.#size >= this.#options.maxBatch || now >= deadline) return 0;
    // Worth waiting for is only a stream whose next frame is due before the deadline. One that is overdue has fallen
    // silent, and what is not yet known to come again is not waited for.
    const due = [...this.#queues.values()]
      .filter(({ waiting, interval }) => waiting.length === 0 && interval !== undefined)
      .map(({ lastArrival, interval }) => lastArrival + interval!)
      .filter((time) => time <= deadline && time + this.#options.maxDelayMs >= now);
    return due.length > 0 ? deadline - now : 0;
  }

  /** The next batch: rounds over the streams, the one that has waited longest for its turn first, one frame a stream and round. */
  take(): WaitingFrame[] {
    const now = this.#now();
    const batch: WaitingFrame[] = [];
    while (batch.length < this.#options.maxBatch && this.#size > 0) {
      const round = [...this.#queues.values()].filter(({ waiting }) => waiting.length > 0);
      round.sort((a, b) => a.turn - b.turn);
      for (const queue of round.slice(0, this.#options.maxBatch - batch.length)) {
        batch.push(queue.waiting.shift()!);
        queue.turn = now;
        this.#size -= 1;
      }
    }
    this.#forgetSilent();
    return batch;
  }

  clear(): void {
    for (const { waiting } of this.#queues.values()) {
      for (const { frame } of waiting.splice(0)) this.#drop(frame, "closed");
    }
  }

  #drop(frame: Frame, cause: DropCause): void {
    this.#size -= 1;
    this.#options.onDrop(frame, cause);
    frame.release();
  }

  #oldest(): number {
    let oldest = Infinity;
    for (const { waiting } of this.#queues.values()) oldest = Math.min(oldest, waiting[0]?.since ?? Infinity);
    return oldest;
  }

  /** Streams come and go for months; their queues must not stay. */
  #forgetSilent(): void {
    const now = this.#now();
    for (const [stream, { waiting, lastArrival }] of this.#queues) {
      if (waiting.length === 0 && now - lastArrival > FORGET_AFTER_MS) this.#queues.delete(stream);
    }
  }
}

const FORGET_AFTER_MS = 60_000;
