// A detector that needs no network: it finds the red part of a picture, and names what is around it by its brightness.
import { type Detection, type Picture, pictureBytes, type RgbImage, type YuvImage } from "../../src/model/detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "../../src/model/detector.ts";

/** Finds one "red" with score 0.9 around all red pixels, and one "grey" with score 0.4 over the whole picture. */
export class RedFinder implements Detector {
  readonly info: DetectorInfo;
  readonly slots = 1;
  readonly maxBatch = 8;
  /** Makes the next calls fail. */
  failure: Error | undefined;
  /** Calls wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** How many calls are at work. */
  busy = 0;
  closed = false;

  constructor(name = "red-finder") {
    this.info = {
      model: { name, version: "1" },
      labels: ["red", "grey"],
      engine: "typescript",
      reason: "it needs nothing else",
    };
  }

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
    this.closed = true;
    return Promise.resolve();
  }
}

function find(picture: Picture): Detection[] {
  const { width, height, data } = picture;
  if (data.length !== pictureBytes(picture.format, width, height)) throw new Error("not a picture that I know");
  const isRed = picture.format === "rgb24" ? redInRgb(picture) : redInYuv(picture);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isRed(x, y)) continue;
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x + 1),
        Math.max(bottom, y + 1),
      ];
    }
  }
  const whole: Detection = { label: "grey", score: 0.4, classId: 2, bbox: [0, 0, width, height] };
  if (right === 0) return [whole];
  return [{ label: "red", score: 0.9, classId: 1, bbox: [left, top, right - left, bottom - top] }, whole];
}

function redInRgb({ width, data }: RgbImage): (x: number, y: number) => boolean {
  return (x, y) => {
    const at = (y * width + x) * 3;
    return data[at]! >= 200 && data[at + 1]! <= 80 && data[at + 2]! <= 80;
  };
}

/** Red has the highest V there is. */
function redInYuv({ width, height, data }: YuvImage): (x: number, y: number) => boolean {
  const stride = Math.ceil(width / 2);
  const v = width * height + stride * Math.ceil(height / 2);
  return (x, y) => data[v + (y >> 1) * stride + (x >> 1)]! > 200;
}
