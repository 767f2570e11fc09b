// RGB pictures are sampled as the network saw pictures while it was trained: by the graph's own node, and by TensorFlow.js.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RgbImage } from "../../../src/model/detection.ts";
import { createSampler } from "../../../src/model/sample.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import { worstDifference } from "../support/differences.ts";
import { type OriginalGraph, openOriginalGraph } from "../support/original-graph.ts";
import { drawPicture, noisePicture } from "../support/pictures.ts";

// Noise has the hardest edges that there are.
const SIZES = [
  [1, 1],
  [64, 48],
  [301, 299],
  [640, 480],
  [1279, 719],
] as const;

function sampled(picture: RgbImage, change: Partial<SsdSpec["input"]> = {}): Uint8Array {
  const input = { ...SSDLITE_MOBILENET_V2.input, ...change };
  const out = new Uint8Array(input.width * input.height * 3);
  createSampler(input)(picture, out, 0);
  return out;
}

describe("asymmetric sampling against the released graph", () => {
  let graph: OriginalGraph;
  beforeAll(async () => {
    graph = await openOriginalGraph();
  });
  afterAll(() => graph.dispose());

  test.each(SIZES)("%d x %d is what its ResizeBilinear makes, to one grey level", async (width, height) => {
    for (const picture of [noisePicture(width, height, width), drawPicture(width, height, height)]) {
      // Ours is rounded and its weights have 11 bits, so a little over half a level is as near as it gets.
      expect(worstDifference(sampled(picture), await graph.resize(picture))).toBeLessThan(0.6);
    }
  });
});

describe("half-pixel sampling against TensorFlow.js", () => {
  beforeAll(async () => {
    tf.env().set("IS_TEST", true);
    await tf.setBackend("cpu");
  });

  test.each(SIZES)("%d x %d is resizeBilinear with half-pixel centres, to one grey level", (width, height) => {
    const picture = noisePicture(width, height, width);
    const wanted = tf.tidy(() =>
      tf.image
        .resizeBilinear(tf.tensor3d(Int32Array.from(picture.data), [height, width, 3]), [300, 300], false, true)
        .dataSync(),
    );
    expect(worstDifference(sampled(picture, { resize: "half-pixel" }), wanted)).toBeLessThan(0.6);
  });
});

describe("sampling RGB", () => {
  const ramp: RgbImage = {
    format: "rgb24",
    width: 4,
    height: 1,
    data: Uint8Array.from([0, 40, 80, 120].flatMap(grey)),
  };

  test("takes from i * in / out when it is asymmetric, which lies to the left of the middle", () => {
    expect(reds(sampled(ramp, { width: 2, height: 1 }))).toEqual([0, 80]);
    expect(reds(sampled(ramp, { width: 8, height: 1 }))).toEqual([0, 20, 40, 60, 80, 100, 120, 120]);
  });

  test("takes from (i + 0.5) * in / out - 0.5 when it is half-pixel, which is the middle", () => {
    expect(reds(sampled(ramp, { width: 2, height: 1, resize: "half-pixel" }))).toEqual([20, 100]);
    expect(reds(sampled(ramp, { width: 8, height: 1, resize: "half-pixel" }))).toEqual([
      0, 10, 30, 50, 70, 90, 110, 120,
    ]);
  });

  test("skips pixels instead of averaging them when it shrinks", () => {
    const stripes = new Uint8Array(12 * 3).fill(255);
    for (let x = 0; x < 12; x += 4) stripes.fill(0, x * 3, x * 3 + 3);
    expect(reds(sampled({ format: "rgb24", width: 12, height: 1, data: stripes }, { width: 3, height: 1 }))).toEqual([
      0, 0, 0,
    ]);
  });

  test("leaves a picture of the network's own size as it is", () => {
    const picture = noisePicture(300, 300, 1);
    expect(worstDifference(sampled(picture), picture.data)).toBe(0);
  });

  test("writes where it is told and nowhere else", () => {
    const out = new Uint8Array(3 + 12 + 3).fill(7);
    createSampler({ ...SSDLITE_MOBILENET_V2.input, width: 2, height: 2 })(noisePicture(5, 5, 1), out, 3);
    expect([...out.subarray(0, 3), ...out.subarray(15)]).toEqual([7, 7, 7, 7, 7, 7]);
    expect(out.subarray(3, 15)).toEqual(sampled(noisePicture(5, 5, 1), { width: 2, height: 2 }));
  });

  test("goes on well after a hundred pictures, each of another size", () => {
    const sample = createSampler(SSDLITE_MOBILENET_V2.input);
    const out = new Uint8Array(300 * 300 * 3);
    for (let size = 1; size <= 100; size++) sample(noisePicture(size, 1, size), out, 0);
    sample(noisePicture(64, 48, 3), out, 0);
    expect(worstDifference(out, sampled(noisePicture(64, 48, 3)))).toBe(0);
  });
});

function grey(level: number): number[] {
  return [level, level, level];
}

function reds(rgb: Uint8Array): number[] {
  return [...rgb].filter((_, i) => i % 3 === 0);
}
