// The one rate limiter: a bucket that attempts take from and that refills steadily.
import type { SteadyClock } from "../steady-scheduler.ts";

export interface RateLimitOptions {
  /** Attempts in a row after a while without any. */
  readonly size: number;
  /** Milliseconds until one of them is available again. */
  readonly refillMs: number;
  /** Attempts that are refused count too, up to this many: the caller must slow down before it is served again. Default 0. */
  readonly maxDebt?: number;
  readonly clock: SteadyClock;
}

export class RateLimit {
  readonly #options: RateLimitOptions;
  /** May be a fraction. */
  #left: number;
  #at: number;

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#left = options.size;
    this.#at = options.clock.now();
  }

  /** Attempts that are available now; a fraction, below 0 while there is debt. */
  get left(): number {
    const { size, refillMs, clock } = this.#options;
    return Math.min(size, this.#left + (clock.now() - this.#at) / refillMs);
  }

  /** Milliseconds until an attempt is available; 0 when one is. */
  get waitMs(): number {
    return Math.max(0, 1 - this.left) * this.#options.refillMs;
  }

  /** Takes one. Returns what is left: below 0 when it was not available. */
  take(): number {
    const { maxDebt = 0, clock } = this.#options;
    const left = this.left - 1;
    this.#left = Math.max(left, -maxDebt);
    this.#at = clock.now();
    return left;
  }
}
