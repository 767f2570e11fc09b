// Where the time of detected frames goes: waiting, in the detector, and in all.
import type { Detected } from "./frame.ts";
import { RecentHistogram, type Quantiles } from "./recent-histogram.ts";

/** Milliseconds, of the last half to whole minute. */
export type Latency = { readonly [Name in keyof Detected["timing"]]: Quantiles };

export class LatencyMeter {
  readonly #queue: RecentHistogram;
  readonly #infer: RecentHistogram;
  readonly #total: RecentHistogram;

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.#queue = new RecentHistogram(now);
    this.#infer = new RecentHistogram(now);
    this.#total = new RecentHistogram(now);
  }

  record({ queueMs, inferMs, totalMs }: Detected["timing"]): void {
    this.#queue.record(queueMs);
    this.#infer.record(inferMs);
    this.#total.record(totalMs);
  }

  /** Undefined while no frame was detected lately. */
  latency(): Latency | undefined {
    const [queueMs, inferMs, totalMs] = [this.#queue, this.#infer, this.#total].map((each) => each.quantiles());
    return queueMs && inferMs && totalMs && { queueMs, inferMs, totalMs };
  }
}
