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

/** A stream that had frames before goes before others that have waited up to this much longer. */
const LEAD_MS = 5000;

/**
 * A hundred processes that start at once take every core from the streams that run, and starting one stops the event loop for as long as
 * the system takes to make it.
 */
export class StartQueue {
  readonly #width: number;
  readonly #startingMs: number;
  readonly #now: () => number;
  readonly #waiting: Waiting[] = [];
  #starting = 0;

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
    if (this.#starting >= this.#width) await this.#wait(hadFrames, signal);
    else this.#starting += 1;
    let isStarting = true;
    const leave = (): void => {
      if (!isStarting) return;
      isStarting = false;
      clearTimeout(timer);
      this.#next();
    };
    const timer = setTimeout(leave, this.#startingMs);
    return leave;
  }

  /** The place that was left goes to the next, if there is one. */
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
    const next = this.#waiting.shift();
    if (next) next.enter();
    else this.#starting -= 1;
  }
}
