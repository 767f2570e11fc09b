// Gathers the frames of all streams into batches, pulled by the engine: it takes what waits when it is free.
import { asyncScheduler, Subject, type Observable, type SchedulerLike, type Subscription } from "rxjs";
import type { Frame } from "./frame.ts";
import { WaitingRoom, type WaitingFrame, type WaitingRoomOptions } from "./waiting-room.ts";

export interface BatchOptions extends Omit<WaitingRoomOptions, "now"> {
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
  readonly scheduler?: SchedulerLike;
}

/** Frames in, batches out. Whose frames are in a batch is the waiting room's decision, when it goes is made here. */
export class Batcher {
  readonly #batches = new Subject<WaitingFrame[]>();
  readonly #room: WaitingRoom;
  readonly #scheduler: SchedulerLike;
  #granted = 0;
  #ended = false;
  #serving = false;
  #alarm: Subscription | undefined;

  constructor({ scheduler = asyncScheduler, now = () => performance.now(), ...options }: BatchOptions) {
    this.#room = new WaitingRoom({ ...options, now });
    this.#scheduler = scheduler;
  }

  /** Hot. Each frame of a batch is the receiver's to release. Completes after `end`, when nothing waits any more. */
  get batches(): Observable<WaitingFrame[]> {
    return this.#batches;
  }

  add(frame: Frame): void {
    this.#room.add(frame);
    this.#serve();
  }

  /** The engine's word that it takes so many batches more, or less. */
  grant(batches: number): void {
    this.#granted += batches;
    this.#serve();
  }

  /** Takes the frames of one stream back; they are the caller's. */
  withdraw(stream: string): Frame[] {
    const frames = this.#room.withdraw(stream);
    this.#serve();
    return frames;
  }

  /** No frame will come any more; what waits goes as soon as the engine takes it. */
  end(): void {
    this.#ended = true;
    this.#serve();
  }

  #serve(): void {
    // Who takes a batch may give back frames, or say that the engine is free, before it returns.
    if (this.#serving) return;
    this.#serving = true;
    this.#alarm?.unsubscribe();
    while (this.#granted > 0 && this.#room.size > 0) {
      const patience = this.#ended ? 0 : this.#room.patienceMs();
      if (patience > 0) {
        this.#alarm = this.#scheduler.schedule(() => this.#serve(), patience);
        break;
      }
      const batch = this.#room.take();
      if (batch.length === 0) continue;
      this.#granted -= 1;
      this.#batches.next(batch);
    }
    this.#serving = false;
    if (this.#ended && this.#room.size === 0) this.#batches.complete();
  }
}
