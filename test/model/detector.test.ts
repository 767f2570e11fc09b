// A detector in this thread: pictures of any sizes in, what is on them out, in their own pixels.
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../src/model/bundle.ts";
import type { Detection, Picture, YuvImage } from "../../src/model/detection.ts";
import { pictureBytes } from "../../src/model/detection.ts";
import { createDetector, type Detector, type DetectorOptions } from "../../src/model/detector.ts";
import { openEngine } from "../../src/model/engines/open.ts";
import { best, iou } from "../support/boxes.ts";
import { defaultBundle, testData } from "../support/model.ts";
import { expectSame } from "./support/detections.ts";
import { drawPicture, noisePicture, photo } from "./support/pictures.ts";

let bundle: Bundle;
let detector: Detector;
const open = async (options: Partial<DetectorOptions> = {}): Promise<Detector> =>
  createDetector(bundle, await openEngine("auto", bundle, { threads: 0 }), { maxBatch: 8, ...options });
beforeAll(async () => {
  bundle = await defaultBundle();
  detector = await open();
});
afterAll(() => detector.close());

async function detect(...pictures: Picture[]): Promise<Detection[][]> {
  return (await detector.detect(pictures)).detections;
}

test("says which model it has, what it knows and what runs it", () => {
  expect(detector.info.model).toEqual({ name: "ssdlite-mobilenet-v2", version: "2" });
  expect(detector.info.labels).toHaveLength(80);
  expect(detector.info.labels.slice(0, 3)).toEqual(["person", "bicycle", "car"]);
  expect(detector.info.engine).toMatch(/^onnx:cpu, \d+ threads?$/);
  expect([detector.maxBatch, detector.slots]).toEqual([8, 1]);
});

const hasDog = testData("photos/dog.jpg") !== undefined;
describe.skipIf(!hasDog)(`a photo${hasDog ? "" : " (the test data have no photos/dog.jpg)"}`, () => {
  test("of a dog, a bicycle and a car: each is found, over 0.5, where it is in the photo's pixels", async () => {
    const { picture } = await photo("dog.jpg");
    expect([picture.width, picture.height]).toEqual([768, 576]);
    const [found] = await detect(picture);
    const cars = found!.map((one) => (one.label === "truck" ? { ...one, label: "car" } : one));
    for (const [label, box] of [
      ["dog", [130, 220, 185, 320]],
      ["bicycle", [120, 130, 450, 295]],
      ["car", [470, 75, 220, 95]],
    ] as const) {
      const object = best(cars, label);
      expect(object?.score, `the ${label}`).toBeGreaterThan(0.5);
      expect(iou(object!.bbox, box), `${label} at ${object!.bbox.join(" ")}`).toBeGreaterThan(0.75);
    }
  });

  test("of twice the width has its boxes twice as far to the right, and twice as wide", async () => {
    const { picture } = await photo("dog.jpg");
    const raw = { width: picture.width, height: picture.height, channels: 3 } as const;
    const data = await sharp(picture.data, { raw })
      .resize({ width: picture.width * 2, height: picture.height, fit: "fill" })
      .raw()
      .toBuffer();
    const wide = { ...picture, width: picture.width * 2, data };
    const [[plain], [stretched]] = (await detect(picture, wide)).map((found) => [best(found, "dog")!]) as [
      [Detection],
      [Detection],
    ];
    const [x, y, width, height] = plain.bbox;
    expect(iou([x * 2, y, width * 2, height], stretched.bbox)).toBeGreaterThan(0.95);
  });

  test("below the threshold nothing is reported, and the threshold is the spec's unless another is asked for", async () => {
    const { picture } = await photo("dog.jpg");
    const [found] = await detect(picture);
    const lowest = found!.at(-1)!.score;
    expect(lowest).toBeGreaterThanOrEqual(0.01);
    expect(lowest).toBeLessThan(0.3);
    const strict = await open({ minScore: 0.5 });
    try {
      const [few] = (await strict.detect([picture])).detections;
      expectSame(
        few!,
        found!.filter(({ score }) => score >= 0.5),
      );
    } finally {
      await strict.close();
    }
  });

  test("is post-processed as the spec says but for what is chosen", async () => {
    const { picture } = await photo("dog.jpg");
    const [found] = await detect(picture);
    expect(found!.length).toBeGreaterThan(3);
    const few = await open({ postProcess: { maxDetections: 3, iouThreshold: undefined } });
    const strict = await open({ postProcess: { minScore: 0.01 }, minScore: 0.5 });
    try {
      expectSame((await few.detect([picture])).detections[0]!, found!.slice(0, 3));
      const sure = found!.filter(({ score }) => score >= 0.5);
      expectSame((await strict.detect([picture])).detections[0]!, sure);
    } finally {
      await Promise.all([few.close(), strict.close()]);
    }
  });
});

describe("a batch", () => {
  const yuv: YuvImage = {
    format: "yuv420p",
    width: 321,
    height: 243,
    data: noisePicture(pictureBytes("yuv420p", 321, 243), 1, 5).data.slice(0, pictureBytes("yuv420p", 321, 243)),
    colour: { matrix: "bt709", fullRange: false },
  };

  test("of three pictures of different sizes and formats is what each of them is alone", async () => {
    const pictures = [drawPicture(640, 360, 1), yuv, drawPicture(90, 500, 3)];
    const together = await detect(...pictures);
    expect(together).toHaveLength(3);
    for (const [i, picture] of pictures.entries()) {
      const [alone] = await detect(picture);
      expect(alone!.length, `picture ${i}`).toBeGreaterThan(0);
      expectSame(together[i]!, alone!);
    }
  });

  test("waits in line for the one before it", async () => {
    const pictures = [drawPicture(640, 360, 1), yuv, drawPicture(90, 500, 3)];
    const found = await Promise.all(pictures.map((picture) => detect(picture)));
    for (const [i, picture] of pictures.entries()) {
      const [alone] = await detect(picture);
      expect(alone!.length).toBeGreaterThan(0);
      expectSame(found[i]![0]!, alone!);
    }
  });

  test("may hold a picture of one pixel and one of 48 million", async () => {
    const huge: YuvImage = {
      ...yuv,
      width: 8000,
      height: 6000,
      data: Buffer.alloc(pictureBytes("yuv420p", 8000, 6000)),
    };
    const found = await detect(noisePicture(1, 1, 1), huge);
    for (const [i, [width, height]] of [
      [1, 1],
      [8000, 6000],
    ].entries()) {
      for (const { bbox } of found[i]!) {
        const [x, y, w, h] = bbox;
        expect(x >= 0 && y >= 0 && x + w <= width! && y + h <= height!, `box ${bbox.join(" ")}`).toBe(true);
      }
    }
  });

  test("may be empty", async () => {
    expect(await detect()).toEqual([]);
  });

  test("of more than maxBatch pictures is refused with BATCH_TOO_LARGE", async () => {
    const nine = Array.from({ length: 9 }, () => noisePicture(8, 8, 1));
    await expect(detector.detect(nine)).rejects.toThrow(
      expect.objectContaining({ code: "BATCH_TOO_LARGE", message: "A batch has at most 8 pictures, not 9." }),
    );
  });
});

test("is closed once, however often it is asked to, and then detects no more", async () => {
  const own = await open({ maxBatch: 3 });
  await own.warmUp();
  await own.close();
  await own.close();
  await expect(own.detect([noisePicture(8, 8, 1)])).rejects.toThrow(expect.objectContaining({ code: "ENGINE_CLOSED" }));
  await expect(own.warmUp()).rejects.toThrow(expect.objectContaining({ code: "ENGINE_CLOSED" }));
});
