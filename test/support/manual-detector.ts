// A detector that answers when a test says so, batch by batch, in any order.
import type { Picture } from "../../src/model/detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "../../src/model/detector.ts";

export class ManualDetector implements Detector {
  readonly info: DetectorInfo;
  readonly slots: number;
  readonly maxBatch: number;
  /** How many pictures each batch has that was not answered. */
  readonly sizes: number[] = [];
  closed = false;
  readonly #answers: { readonly yes: (result: BatchResult) => void; readonly no: (error: Error) => void }[] = [];

  constructor(version: string, { slots = 1, maxBatch = 8 } = {}) {
    this.info = { model: { name: "manual", version }, labels: ["a"], engine: "by hand", reason: "a test" };
    this.slots = slots;
    this.maxBatch = maxBatch;
  }

  detect(pictures: readonly Picture[]): Promise<BatchResult> {
    this.sizes.push(pictures.length);
    return new Promise((yes, no) => this.#answers.push({ yes, no }));
  }

  /** Answers the batch of this place in `sizes`, with nothing found. */
  async answer(at = 0): Promise<void> {
    const [size] = this.sizes.splice(at, 1);
    const [answer] = this.#answers.splice(at, 1);
    answer!.yes({ detections: Array.from({ length: size! }, () => []), inferMs: 1 });
    await settled();
  }

  async fail(error: Error): Promise<void> {
    this.sizes.shift();
    this.#answers.shift()!.no(error);
    await settled();
  }

  warmUp(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** All that follows from what has happened has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
