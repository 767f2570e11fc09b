// Slows down who guesses: each address has a bucket of wrong attempts, which fills again slowly; memory is bounded.
import { isIPv6 } from "node:net";
import { MultiboxError } from "../../errors.ts";

export interface FailureLimitOptions {
  /** Wrong attempts in a row that an address has. */
  readonly attempts?: number;
  /** Milliseconds until one of them comes back. */
  readonly refillMs?: number;
  /** Addresses that are remembered; the one that failed longest ago is forgotten first. */
  readonly maxAddresses?: number;
  readonly clock: { now(): number };
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

interface Bucket {
  /** May be a fraction. */
  readonly left: number;
  readonly at: number;
}

export class FailureLimit {
  readonly #attempts: number;
  readonly #refillMs: number;
  readonly #maxAddresses: number;
  readonly #clock: { now(): number };
  /** The newest failure last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor({ attempts = 10, refillMs = 6000, maxAddresses = 10_000, clock }: FailureLimitOptions) {
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
    const left = this.#left(networkOf(address));
    if (left >= 1) return;
    const retryAfter = Math.ceil(((1 - left) * this.#refillMs) / 1000);
    throw new RetryLater("TOO_MANY_FAILURES", `Too many wrong tokens came from ${address}.`, retryAfter);
  }

  /** An attempt was wrong. */
  fail(address: string): void {
    const network = networkOf(address);
    const left = Math.max(0, this.#left(network) - 1);
    this.#buckets.delete(network);
    this.#buckets.set(network, { left, at: this.#clock.now() });
    if (this.#buckets.size <= this.#maxAddresses) return;
    const [oldest] = this.#buckets.keys();
    this.#buckets.delete(oldest!);
  }

  #left(network: string): number {
    const bucket = this.#buckets.get(network);
    if (!bucket) return this.#attempts;
    return Math.min(this.#attempts, bucket.left + (this.#clock.now() - bucket.at) / this.#refillMs);
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
