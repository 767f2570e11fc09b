// How many requests one WebSocket may send: a bucket that each takes one from, and that fills again steadily.
import { MultiboxError } from "../../errors.ts";

/** At once, after a while without any. */
export const BURST = 100;
export const A_SECOND = 20;

export class RequestLimit {
  readonly #clock: { now(): number };
  /** May be a fraction, and below 0: what was refused is owed too, so that only who slows down is served again. */
  #left = BURST;
  #at: number;

  constructor(clock: { now(): number }) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** A request came. What it may not be done for is an error; one that goes on in spite of a hundred of these is to be closed. */
  take(): { readonly error?: MultiboxError; readonly isHopeless: boolean } {
    const now = this.#clock.now();
    // A clock that is set back gives nothing.
    const gained = (Math.max(0, now - this.#at) / 1000) * A_SECOND;
    this.#left = Math.min(BURST, this.#left + gained) - 1;
    this.#at = now;
    if (this.#left >= 0) return { isHopeless: false };
    const sentence = `More than ${A_SECOND} requests a second came over this connection.`;
    const hint = "Send fewer: a subscription can name many streams. If this goes on, the connection is closed.";
    return { error: new MultiboxError("TOO_MANY_REQUESTS", sentence, hint), isHopeless: this.#left < -BURST };
  }
}
