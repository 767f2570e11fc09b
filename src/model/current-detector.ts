// The detector in use under one name: what stands behind it can be changed while it is asked.
import type { Picture } from "./detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "./detector.ts";

export class CurrentDetector implements Detector {
  #detector: Detector;
  readonly #calls = new Set<Promise<unknown>>();

  constructor(detector: Detector) {
    this.#detector = detector;
  }

  /** Resolves with the one before when all that was asked of it is answered; it is the caller's to close. */
  async change(detector: Detector): Promise<Detector> {
    const before = this.#detector;
    this.#detector = detector;
    await Promise.allSettled(this.#calls);
    return before;
  }

  get info(): DetectorInfo {
    return this.#detector.info;
  }

  get slots(): number {
    return this.#detector.slots;
  }

  get maxBatch(): number {
    return this.#detector.maxBatch;
  }

  async detect(pictures: readonly Picture[]): Promise<BatchResult> {
    const call = this.#detector.detect(pictures);
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  warmUp(): Promise<void> {
    return this.#detector.warmUp();
  }

  close(): Promise<void> {
    return this.#detector.close();
  }
}
