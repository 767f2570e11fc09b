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
  #decoded = 0;
  #detected = 0;
  #inFlight = 0;

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.#decodedRate = new RateMeter(now);
    this.#detectedRate = new RateMeter(now);
  }

  /** A frame was decoded, and is in flight from now on. */
  decoded(): void {
    this.#decoded += 1;
    this.#inFlight += 1;
    this.#decodedRate.count();
  }

  /** A frame that was in flight was detected. Returns its number among the detected frames, from 0. */
  detected(): number {
    this.#inFlight -= 1;
    this.#detectedRate.count();
    return this.#detected++;
  }

  /** A frame that was in flight will not be detected. */
  dropped(cause: DropCause): void {
    this.#inFlight -= 1;
    this.#dropped[cause] = (this.#dropped[cause] ?? 0) + 1;
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

/** Events a second over the last five whole seconds, or since the first event while that is less. */
class RateMeter {
  readonly #now: () => number;
  /** Of the last seconds, each second in the place of its number modulo the length; one place more for the running second. */
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
    const whole = Math.min(WINDOW_SECONDS, second - this.#first);
    const running = this.#buckets[second % this.#buckets.length]!;
    const sum = this.#buckets.reduce((total, count) => total + count, 0);
    // In the first second there is nothing whole to go by.
    return whole === 0 ? running : (sum - running) / whole;
  }

  #advance(): number {
    const second = Math.floor(this.#now() / 1000);
    const steps = Math.min(second - this.#second, this.#buckets.length);
    for (let i = 1; i <= steps; i++) this.#buckets[(second - steps + i) % this.#buckets.length] = 0;
    this.#second = second;
    return second;
  }
}
