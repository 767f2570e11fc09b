// How a detector's last batches went: how long one takes, and whether there was time between them.

/** Of the detector's last batches. */
export interface Pace {
  /** Milliseconds that a batch takes: the median, since what came while one was delayed by something else is no less late for it. */
  readonly typicalMs: number;
  readonly longestMs: number;
  /** The share of the time in which the detector worked, about 0 to 1. */
  readonly busy: number;
}

export class PaceMeter {
  readonly #last: { readonly ms: number; readonly end: number }[] = [];

  /** A batch took so long and ended at `end`, in milliseconds on a clock that never jumps. */
  record(ms: number, end: number): void {
    this.#last.push({ ms, end });
    if (this.#last.length > RECENT) this.#last.shift();
  }

  /** By `now`, of a detector that takes `slots` batches at once. */
  pace(slots: number, now: number): Pace {
    const ascending = this.#last.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const [first, ...later] = this.#last;
    const worked = later.reduce((sum, { ms }) => sum + ms, 0);
    return {
      typicalMs: ascending[ascending.length >> 1] ?? 0,
      longestMs: ascending.at(-1) ?? 0,
      busy: first && now > first.end ? worked / slots / (now - first.end) : 0,
    };
  }
}

const RECENT = 9;
