// How long things took lately, as quantiles: a histogram of few bytes whatever is counted, which forgets what is old.

/** In the unit of what was recorded; each is right to within 5 %. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Eight bins an octave: two values in one bin differ by at most 9 %. */
const BINS_PER_OCTAVE = 8;
/** The first bin ends here, the last has all beyond 200,000: from fifty microseconds to minutes in milliseconds. */
const SMALLEST = 0.05;
const BINS = 22 * BINS_PER_OCTAVE;

/** Of the last one to two windows: the running one and the one before. */
export class RecentHistogram {
  readonly #now: () => number;
  readonly #windowMs: number;
  #running = new Uint32Array(BINS);
  #before = new Uint32Array(BINS);
  #since: number;

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(now: () => number = () => performance.now(), windowMs = 30_000) {
    this.#now = now;
    this.#windowMs = windowMs;
    this.#since = now();
  }

  record(value: number): void {
    this.#turn();
    const bin = Math.floor(Math.log2(Math.max(value, SMALLEST) / SMALLEST) * BINS_PER_OCTAVE);
    this.#running[Math.min(bin, BINS - 1)]! += 1;
  }

  /** Undefined while nothing was recorded lately. */
  quantiles(): Quantiles | undefined {
    this.#turn();
    const counts = this.#running.map((count, bin) => count + this.#before[bin]!);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return {
      p50: quantile(counts, total * 0.5),
      p95: quantile(counts, total * 0.95),
      p99: quantile(counts, total * 0.99),
    };
  }

  #turn(): void {
    const age = this.#now() - this.#since;
    if (age < this.#windowMs) return;
    [this.#running, this.#before] = [this.#before, this.#running];
    this.#running.fill(0);
    if (age >= 2 * this.#windowMs) this.#before.fill(0);
    this.#since += Math.floor(age / this.#windowMs) * this.#windowMs;
  }
}

/** The middle, in octaves, of the bin that the value of this rank lies in. */
function quantile(counts: Uint32Array, rank: number): number {
  let seen = 0;
  for (const [bin, count] of counts.entries()) {
    seen += count;
    if (seen >= rank) return SMALLEST * 2 ** ((bin + 0.5) / BINS_PER_OCTAVE);
  }
  return Infinity;
}
