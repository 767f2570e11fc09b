// A detector that needs no network: it finds the red part of a picture, and names what is around it by its brightness.
import type { Detection, Picture } from "../../src/model/detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "../../src/model/detector.ts";

/** Finds one "red" with score 0.9 around all red pixels, and one "grey" with score 0.4 over the whole picture. RGB only. */
export class RedFinder implements Detector {
  readonly info: DetectorInfo = {
    model: { name: "red-finder", version: "1" },
    labels: ["red", "grey"],
    engine: "typescript",
    reason: "it needs nothing else",
  };
  readonly slots = 1;
  readonly maxBatch = 8;
  /** Makes the next calls fail. */
  failure: Error | undefined;
  /** Calls wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** How many calls are at work. */
  busy = 0;

  async detect(pictures: readonly Picture[]): Promise<BatchResult> {
    this.busy += 1;
    await this.gate;
    this.busy -= 1;
    if (this.failure) throw this.failure;
    return { detections: pictures.map(find), inferMs: 1 };
  }

  warmUp(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function find({ width, height, data, format }: Picture): Detection[] {
  if (format !== "rgb24" || data.length !== width * height * 3) throw new Error("not a picture that I know");
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < width * height; i++) {
    if (data[i * 3]! < 200 || data[i * 3 + 1]! > 80 || data[i * 3 + 2]! > 80) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  const whole: Detection = { label: "grey", score: 0.4, classId: 2, bbox: [0, 0, width, height] };
  if (right === 0) return [whole];
  return [{ label: "red", score: 0.9, classId: 1, bbox: [left, top, right - left, bottom - top] }, whole];
}
