// Work that waits for its turn: so many at a time, first come first served, each to be broken off by itself or with all others.

export interface BackgroundQueueOptions {
  /** Most that run at once. */
  readonly width: number;
  /** Must not reject: whatever happens to the work is its own to tell. Ends soon after the signal. */
  readonly run: (id: string, signal: AbortSignal) => Promise<void>;
}

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class BackgroundQueue {
  readonly #options: BackgroundQueueOptions;
  readonly #waiting: string[] = [];
  readonly #running = new Map<string, Running>();
  #isOpen = false;

  /** Nothing runs before `open`. */
  constructor(options: BackgroundQueueOptions) {
    this.#options = options;
  }

  open(): void {
    this.#isOpen = true;
    this.#next();
  }

  add(id: string): void {
    this.#waiting.push(id);
    this.#next();
  }

  /** Resolves when it neither waits nor runs. */
  async cancel(id: string): Promise<void> {
    const at = this.#waiting.indexOf(id);
    if (at >= 0) this.#waiting.splice(at, 1);
    const running = this.#running.get(id);
    running?.abort.abort();
    await running?.done;
  }

  /** Resolves when it does not run. */
  async ended(id: string): Promise<void> {
    await this.#running.get(id)?.done;
  }

  /** Breaks off what runs, and leaves what waits. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await Promise.all(
      [...this.#running.values()].map(({ abort, done }) => {
        abort.abort();
        return done;
      }),
    );
  }

  #next(): void {
    while (this.#isOpen && this.#running.size < this.#options.width && this.#waiting.length > 0) {
      const id = this.#waiting.shift()!;
      const abort = new AbortController();
      const done = this.#options.run(id, abort.signal).finally(() => {
        this.#running.delete(id);
        this.#next();
      });
      this.#running.set(id, { abort, done });
    }
  }
}
