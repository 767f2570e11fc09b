// Results in the order in which they were asked for, stream by stream: one that is late holds up its own stream alone.

export class InOrder {
  /** The last result of each stream that has one to come. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Settles as the result does, but not before all that were asked for earlier for this stream. */
  next<T>(stream: string, result: Promise<T>): Promise<T> {
    const before = this.#last.get(stream);
    const mine = (before ? Promise.allSettled([before]) : Promise.resolve()).then(() => result);
    this.#last.set(stream, mine);
    const forget = (): void => {
      if (this.#last.get(stream) === mine) this.#last.delete(stream);
    };
    mine.then(forget, forget);
    return mine;
  }
}
