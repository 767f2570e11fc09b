// How many ffmpegs may be starting at once: what runs already comes first, and each stream gets its chance to start.
import { availableParallelism } from "node:os";

export interface StartQueueOptions {
  /** Most that are starting at once; one a core when absent, and two on a single one. */
  readonly width?: number;
  /** A start counts for no longer: what it costs comes first, and one that waits for a dead camera costs nothing. */
  readonly startingMs?: number;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
}

interface Waiting {
  readonly due: number;
  readonly enter: () => void;
}

/** Between two starts; and how much longer for each millisecond that the last ones held up the event loop. */
const GAP_MS = 10;
const GAP_FACTOR = 4;

/** A stream that had frames before goes before others that have waited up to this much longer. */
const LEAD_MS = 5000;

/**
 * A hundred processes that start at once take every core from the streams that run, and starting one stops the event loop for as long as
 * the system takes to make it: a few milliseconds, or hundreds on a busy machine. Starts are therefore also kept apart, the further the
 * later timers come, so that most of the event loop's time is left for frames and requests.
 */
export class StartQueue {
  readonly #width: number;
  readonly #startingMs: number;
  readonly #now: () => number;
  readonly #waiting: Waiting[] = [];
  #starting = 0;
  #isPacing = false;

  constructor({
    width = Math.max(2, availableParallelism()),
    startingMs = 1000,
    now = () => performance.now(),
  }: StartQueueOptions = {}) {
    this.#width = width;
    this.#startingMs = startingMs;
    this.#now = now;
  }

  /** Resolves with what is to be called once it has started or ended. Rejects with the signal's reason once that is aborted. */
  async enter(hadFrames: boolean, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const isFree = this.#starting < this.#width && !this.#isPacing;
    if (!isFree) await this.#wait(hadFrames, signal);
    else this.#grant();
    let isStarting = true;
    const leave = (): void => {
      if (!isStarting) return;
      isStarting = false;
      clearTimeout(timer);
      this.#starting -= 1;
      this.#next();
    };
    const timer = setTimeout(leave, this.#startingMs);
    return leave;
  }

  #wait(hadFrames: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const waiting: Waiting = { due: this.#now() - (hadFrames ? LEAD_MS : 0), enter };
      const after = this.#waiting.findIndex(({ due }) => due > waiting.due);
      this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, waiting);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #next(): void {
    if (this.#isPacing || this.#starting >= this.#width) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#grant();
    next.enter();
  }

  /** The start that follows blocks the event loop, and so delays this timer; what it is late by is waited again, several times. */
  #grant(): void {
    this.#starting += 1;
    this.#isPacing = true;
    const due = performance.now() + GAP_MS;
    setTimeout(() => {
      const late = Math.max(0, performance.now() - due);
      setTimeout(() => {
        this.#isPacing = false;
        this.#next();
      }, late * GAP_FACTOR);
    }, GAP_MS);
  }
}
