// The detector in use under one name: what stands behind it can be changed while it is asked.
import type { Picture } from "./detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "./detector.ts";

export class CurrentDetector implements Detector {
  #detector: Detector;

  constructor(detector: Detector) {
    this.#detector = detector;
  }

  /** Returns the one before, which is the caller's to close. Calls that it has begun end there. */
  change(detector: Detector): Detector {
    const before = this.#detector;
    this.#detector = detector;
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

  detect(pictures: readonly Picture[]): Promise<BatchResult> {
    return this.#detector.detect(pictures);
  }

  warmUp(): Promise<void> {
    return this.#detector.warmUp();
  }

  close(): Promise<void> {
    return this.#detector.close();
  }
}
