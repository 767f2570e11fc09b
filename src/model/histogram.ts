// A histogram of values whose range is not known beforehand, for percentiles of millions of activations.

const BINS = 1 << 13;

/** Bins of equal width around zero; a value beyond them doubles their width. */
export class Histogram {
  #min = 0;
  #max = 0;
  #reach = 0;
  #count = 0;
  #bins = new Float64Array(BINS);

  /** Adds finite values. */
  add(values: Float32Array): void {
    let [min, max] = [this.#min, this.#max];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    [this.#min, this.#max] = [min, max];
    this.#cover(Math.max(-min, max));
    this.#count += values.length;
    const perUnit = this.#reach === 0 ? 0 : BINS / 2 / this.#reach;
    const bins = this.#bins;
    for (let i = 0; i < values.length; i++) {
      const bin = Math.min(BINS - 1, Math.floor(values[i]! * perUnit) + BINS / 2);
      bins[bin]! += 1;
    }
  }

  /** The least and greatest value, and zero. */
  get range(): readonly [number, number] {
    return [this.#min, this.#max];
  }

  /** What `percent` of the values lie below, to a bin's width, and never beyond the greatest; likewise the rest above. */
  rangeWithin(percent: number): readonly [number, number] {
    const width = (2 * this.#reach) / BINS;
    const outside = this.#count * (1 - percent / 100);
    const high = (this.#fromTop(outside) - BINS / 2 + 1) * width;
    const low = (this.#fromBottom(outside) - BINS / 2) * width;
    return [Math.max(this.#min, Math.min(0, low)), Math.min(this.#max, Math.max(0, high))];
  }

  /** The first bin from the end with more than so many values in it and beyond. */
  #fromTop(outside: number): number {
    let [bin, seen] = [BINS - 1, this.#bins[BINS - 1]!];
    while (bin > 0 && seen <= outside) seen += this.#bins[--bin]!;
    return bin;
  }

  #fromBottom(outside: number): number {
    let [bin, seen] = [0, this.#bins[0]!];
    while (bin < BINS - 1 && seen <= outside) seen += this.#bins[++bin]!;
    return bin;
  }

  #cover(greatest: number): void {
    if (this.#reach === 0) {
      // What came before was nothing but zeros, which stay where they are.
      this.#reach = greatest;
      return;
    }
    while (this.#reach < greatest) {
      this.#reach *= 2;
      const wider = new Float64Array(BINS);
      for (let bin = 0; bin < BINS; bin++) wider[BINS / 4 + (bin >> 1)]! += this.#bins[bin]!;
      this.#bins = wider;
    }
  }
}
