// What may be deleted for its age: at most a tenth of all there is in an hour, and nothing for a day after the clock has jumped.
import type { ClockWatch } from "./clock-watch.ts";
import { type SteadyClock, steadyScheduler } from "../steady-scheduler.ts";

const HOUR_MS = 3_600_000;
/** In any hour, what refills and what was saved up together. */
const SHARE_AN_HOUR = 0.1;
const SAVED_UP = 0.1;
/** All there is within a second, where things are kept for no time at all. */
const MOST_AN_HOUR = 3600;

export interface RetentionOptions {
  readonly watch: Pick<ClockWatch, "now" | "heldMs">;
  readonly maxAgeMs: number;
  readonly clock?: SteadyClock;
}

/**
 * A clock that is wrong by months must not cost what it says is old, before a person has noticed. Where less than twenty hours are kept,
 * more than a tenth expires in an hour, and twice that share may go.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #clock: SteadyClock;
  readonly #share: number;
  /** Of all there is: what may be deleted. It grows from 0, because a server may start again and again. */
  #allowed = 0;
  #at: number;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? steadyScheduler;
    this.#at = this.#clock.now();
    this.#share = Math.min(MOST_AN_HOUR, Math.max(SHARE_AN_HOUR, (2 * HOUR_MS) / options.maxAgeMs));
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#options.watch.now();
  }

  /** What is from before this time, in milliseconds since the epoch, is too old. */
  get cutoff(): number {
    return this.now() - this.#options.maxAgeMs;
  }

  /** How many of `count` may be deleted for their age now. Those that are must be reported to `deleted`. */
  allowance(count: number): number {
    const now = this.#clock.now();
    const isHeld = this.#options.watch.heldMs() > 0;
    // Of few things one may go as soon as a tenth an hour adds up to one.
    const most = Math.max(SAVED_UP * this.#share, 1 / Math.max(1, count));
    const refilled = ((now - this.#at) / HOUR_MS) * (1 - SAVED_UP) * this.#share;
    if (!isHeld) this.#allowed = Math.min(most, this.#allowed + refilled);
    this.#at = now;
    return isHeld ? 0 : Math.floor(this.#allowed * count + 1e-9);
  }

  /** This number of `count` was deleted for its age. */
  deleted(number: number, count: number): void {
    if (count > 0) this.#allowed = Math.max(0, this.#allowed - number / count);
  }
}
