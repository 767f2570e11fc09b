// One change at a time of each thing, in the order of the requests: of a stream, a job, a model.

export class KeyedLock {
  /** By key, the end of the last action that was asked for. */
  readonly #ends = new Map<string, Promise<void>>();

  /** Runs the action when those before it on the same key have ended, however they ended. Not reentrant. */
  run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(key) ?? Promise.resolve();
    const result = before.then(action);
    const end = result.then(
      () => undefined,
      () => undefined,
    );
    this.#ends.set(key, end);
    void end.then(() => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    });
    return result;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }
}
