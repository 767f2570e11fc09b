// How many requests one WebSocket may send.
import { MultiboxError } from "../../errors.ts";
import type { SteadyClock } from "../../steady-scheduler.ts";
import { RateLimit } from "../rate-limit.ts";

/** At once, after a while without any. */
export const BURST = 100;
export const A_SECOND = 20;

export class RequestLimit {
  readonly #limit: RateLimit;

  constructor(clock: SteadyClock) {
    this.#limit = new RateLimit({ size: BURST, refillMs: 1000 / A_SECOND, maxDebt: 2 * BURST, clock });
  }

  /** A request came. `error`: it is refused. `isHopeless`: so were a hundred before it, and the connection should be closed. */
  take(): { readonly error?: MultiboxError; readonly isHopeless: boolean } {
    const left = this.#limit.take();
    if (left >= 0) return { isHopeless: false };
    const sentence = `More than ${A_SECOND} requests a second came over this connection.`;
    const hint = "Send fewer: a subscription can name many streams. If this goes on, the connection is closed.";
    return { error: new MultiboxError("TOO_MANY_REQUESTS", sentence, hint), isHopeless: left < -BURST };
  }
}
