// Slows down who guesses: each address has a bucket of wrong attempts, which fills again slowly; memory is bounded.
import { isIPv6 } from "node:net";
import { MultiboxError } from "../../errors.ts";
import { type SteadyClock, steadyScheduler } from "../../steady-scheduler.ts";
import { RateLimit } from "../rate-limit.ts";

export interface FailureLimitOptions {
  /** Wrong attempts in a row that an address has. */
  readonly attempts?: number;
  /** Milliseconds until one of them comes back. */
  readonly refillMs?: number;
  /** Addresses that are remembered; the one that failed longest ago is forgotten first. */
  readonly maxAddresses?: number;
  readonly clock?: SteadyClock;
}

/** A refusal that passes by itself. */
export class RetryLater extends MultiboxError {
  /** Whole seconds, as in the header Retry-After. */
  readonly retryAfter: number;

  constructor(code: string, message: string, retryAfter: number) {
    super(code, message, `Try again in ${retryAfter} s.`);
    this.retryAfter = retryAfter;
  }
}

export class FailureLimit {
  readonly #attempts: number;
  readonly #refillMs: number;
  readonly #maxAddresses: number;
  readonly #clock: SteadyClock;
  /** The newest failure last. */
  readonly #buckets = new Map<string, RateLimit>();

  constructor({
    attempts = 10,
    refillMs = 6000,
    maxAddresses = 10_000,
    clock = steadyScheduler,
  }: FailureLimitOptions = {}) {
    this.#attempts = attempts;
    this.#refillMs = refillMs;
    this.#maxAddresses = maxAddresses;
    this.#clock = clock;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Before an attempt is looked at. Fails with TOO_MANY_FAILURES, also for what would be right: else a guesser would
   * know it when it is.
   */
  check(address: string): void {
    const waitMs = this.#buckets.get(networkOf(address))?.waitMs ?? 0;
    if (waitMs === 0) return;
    const retryAfter = Math.ceil(waitMs / 1000);
    throw new RetryLater("TOO_MANY_FAILURES", `Too many wrong tokens came from ${address}.`, retryAfter);
  }

  /** An attempt was wrong. */
  fail(address: string): void {
    const network = networkOf(address);
    const bucket =
      this.#buckets.get(network) ??
      new RateLimit({ size: this.#attempts, refillMs: this.#refillMs, clock: this.#clock });
    bucket.take();
    this.#buckets.delete(network);
    this.#buckets.set(network, bucket);
    if (this.#buckets.size <= this.#maxAddresses) return;
    const [oldest] = this.#buckets.keys();
    this.#buckets.delete(oldest!);
  }
}

/** Who has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail = ""] = address.split("%", 1)[0]!.split("::");
  const groups = head.split(":").filter(Boolean);
  const rest = tail.split(":").filter(Boolean);
  const all = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill("0"), ...rest];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
