// The books of a stream: every decoded frame is detected, dropped for a named cause, or in flight, at every moment.
import type { DropCause } from "./frame.ts";
import type { StreamCounts } from "./stream.ts";

/** Frames a second. */
export interface Rates {
  readonly decoded: number;
  readonly detected: number;
}

export class StreamMeter {
  readonly #dropped: Partial<Record<DropCause, number>> = {};
  readonly #decodedRate: RateMeter;
  readonly #detectedRate: RateMeter;
  readonly #firstSeq: number;
  #decoded = 0;
  #detected = 0;
  #inFlight = 0;

  /** `now`: milliseconds on a clock that never jumps. `firstSeq` numbers the first detected frame. */
  constructor(now: () => number = () => performance.now(), firstSeq = 0) {
    this.#firstSeq = firstSeq;
    this.#decodedRate = new RateMeter(now);
    this.#detectedRate = new RateMeter(now);
  }

  /** A frame was decoded, and is in flight from now on. */
  decoded(): void {
    this.#decoded += 1;
    this.#inFlight += 1;
    this.#decodedRate.count();
  }

  /** A frame that was in flight was detected. Returns its number; the next one's is one higher. */
  detected(): number {
    this.#inFlight -= 1;
    this.#detectedRate.count();
    return this.#firstSeq + this.#detected++;
  }

  /** A frame that was in flight will not be detected. */
  dropped(cause: DropCause): void {
    this.#inFlight -= 1;
    this.#dropped[cause] = (this.#dropped[cause] ?? 0) + 1;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  counts(): StreamCounts {
    return {
      decoded: this.#decoded,
      detected: this.#detected,
      inFlight: this.#inFlight,
      dropped: { ...this.#dropped },
    };
  }

  rates(): Rates {
    return { decoded: this.#decodedRate.perSecond(), detected: this.#detectedRate.perSecond() };
  }
}

const WINDOW_SECONDS = 5;

/** Events a second over the last five whole seconds, or over fewer while it began less long ago. */
class RateMeter {
  readonly #now: () => number;
  /** Each second has the place of its number modulo the length: the window, and the running second. */
  readonly #buckets = new Float64Array(WINDOW_SECONDS + 1);
  #first: number | undefined;
  #second = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  count(): void {
    const second = this.#advance();
    this.#first ??= second;
    this.#buckets[second % this.#buckets.length]! += 1;
  }

  perSecond(): number {
    const second = this.#advance();
    if (this.#first === undefined) return 0;
    // The running second is not over, and the first one began in its midst.
    const whole = Math.min(WINDOW_SECONDS, second - this.#first - 1);
    if (whole <= 0) return Math.max(this.#at(second), this.#at(second - 1));
    let sum = 0;
    for (let back = 1; back <= whole; back++) sum += this.#at(second - back);
    return sum / whole;
  }

  #at(second: number): number {
    return second < 0 ? 0 : this.#buckets[second % this.#buckets.length]!;
  }

  /** Empties the buckets of the seconds that have begun since the last call. */
  #advance(): number {
    const second = Math.floor(this.#now() / 1000);
    for (let i = Math.max(this.#second + 1, second - WINDOW_SECONDS); i <= second; i++) {
      this.#buckets[i % this.#buckets.length] = 0;
    }
    this.#second = second;
    return second;
  }
}
