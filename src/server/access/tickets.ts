// One-time tickets: what a page puts into the address of a WebSocket or a picture, where a token would end up in logs.
import { createHash, randomBytes } from "node:crypto";
import { countOf } from "../../count.ts";
import type { Caller } from "./caller.ts";
import { type SteadyClock, steadyScheduler } from "../../steady-scheduler.ts";
import { RetryLater } from "./failure-limit.ts";

export interface Ticket {
  readonly ticket: string;
  /** Milliseconds that it is good for. */
  readonly expiresIn: number;
}

export const TICKET_MS = 30_000;
/** A page needs one for each socket and picture that it opens within half a minute. */
const MAX_OF_A_CALLER = 256;
const MAX = 4096;

interface Issued {
  readonly caller: Caller;
  /** On the clock that never jumps. */
  readonly expiresAt: number;
}

export class Tickets {
  readonly #clock: SteadyClock;
  /** By digest, so that the time a look-up takes says nothing of the tickets there are. The oldest first. */
  readonly #issued = new Map<string, Issued>();

  constructor(clock: SteadyClock = steadyScheduler) {
    this.#clock = clock;
  }

  /** Fails with TICKETS_EXHAUSTED. */
  issue(caller: Caller): Ticket {
    this.#forgetExpired();
    let own = 0;
    for (const issued of this.#issued.values()) if (issued.caller.tokenId === caller.tokenId) own += 1;
    if (own >= MAX_OF_A_CALLER || this.#issued.size >= MAX) {
      const sentence = `${countOf(own, "ticket of this token waits", "tickets of this token wait")} to be used.`;
      throw new RetryLater("TICKETS_EXHAUSTED", sentence, TICKET_MS / 1000);
    }
    const ticket = randomBytes(24).toString("base64url");
    const expiresAt = this.#clock.now() + TICKET_MS;
    this.#issued.set(digest(ticket), { caller, expiresAt });
    return { ticket, expiresIn: TICKET_MS };
  }

  /** Whose it is; a second time, or too late, nobody's. */
  redeem(ticket: string): Caller | undefined {
    this.#forgetExpired();
    const key = digest(ticket);
    const issued = this.#issued.get(key);
    this.#issued.delete(key);
    return issued?.caller;
  }

  #forgetExpired(): void {
    for (const [key, { expiresAt }] of this.#issued) {
      if (expiresAt > this.#clock.now()) return;
      this.#issued.delete(key);
    }
  }
}

const digest = (ticket: string): string => createHash("sha256").update(ticket).digest("base64");
