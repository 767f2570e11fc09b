// A training's first weights: VGG16's where it has them, subsampled and fitted to other pixels, and drawn where it has none.
import { describe, expect, test } from "vitest";
import { GraphBuilder, type Graph } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SPECS } from "../../../src/model/specs.ts";
import type { Tensor, Tensors } from "../../../src/model/weights/safetensors.ts";
import { startFromVgg16 } from "../../../src/model/weights/start-from-vgg16.ts";
import {
  isCaffeVgg16,
  isTorchVgg16,
  type Vgg16,
  vgg16FromCaffe,
  vgg16FromTorch,
} from "../../../src/model/weights/vgg16.ts";

const CAFFE_MEAN = [123, 117, 104] as const;

/** A graph of the ends of VGG16, so that no test needs all of it. */
function ends(mean: readonly [number, number, number], scale: number, atrous = true): Graph {
  const graph = new GraphBuilder("ends");
  const conv = graph.conv("base.conv1_1", graph.input(16, 16, mean, scale), 2, { kernel: 3 });
  const wide = graph.conv("base.conv5_3", conv, 512, { kernel: 3 });
  const fc6 = atrous
    ? graph.conv("base.fc6", wide, 1024, { kernel: 3, dilation: 6 })
    : graph.conv("base.fc6", wide, 4096, { kernel: 7 });
  const fc7 = graph.conv("base.fc7", fc6, atrous ? 1024 : 4096);
  const norm = graph.l2norm("base.conv4_3.norm", wide);
  return graph.build(graph.conv("head0.offsets", norm, 8, { kernel: 3 }), fc7);
}

function tensor(shape: readonly number[], value: (i: number) => number): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return { shape, data };
}

const CONVS: [string, Tensor][] = [
  ["conv1_1.weight", tensor([2, 3, 3, 3], (i) => i / 10)],
  ["conv1_1.bias", tensor([2], (i) => i)],
  ["conv5_3.weight", tensor([512, 2, 3, 3], (i) => i)],
  ["conv5_3.bias", tensor([512], (i) => i)],
];
const BIASES: [string, Tensor][] = [
  ["fc6.bias", tensor([4096], (i) => i)],
  ["fc7.bias", tensor([4096], (i) => i)],
];
// Numbers that say where they stand: output channel and place. Larger ones would not be whole in 32 bits.
const FC6 = tensor([4096, 25088], (i) => Math.floor(i / 25088) * 1000 + (i % 49));
const FC7 = tensor([4096, 4096], (i) => Math.floor(i / 4096) + (i % 4096) / 4096);
const whole: Tensors = new Map([...CONVS, ...BIASES, ["fc6.weight", FC6], ["fc7.weight", FC7]]);
const pixels = { mean: CAFFE_MEAN, scale: [1, 1, 1] } as const;
const VGG16: Vgg16 = { tensors: whole, file: "vgg16.file", pixels };

describe("from all of VGG16", () => {
  const { weights, drawn, subsampled } = startFromVgg16(ends(CAFFE_MEAN, 1), VGG16, 1);

  test("the convolutions are as they were", () => {
    for (const name of ["conv1_1.weight", "conv1_1.bias", "conv5_3.weight"])
      expect(weights.get(`base.${name}`)).toEqual(whole.get(name));
  });

  test("fc6 becomes 3 x 3 of every third pixel, for every fourth channel", () => {
    expect(subsampled).toEqual(["fc6", "fc7"]);
    const { shape, data } = weights.get("base.fc6.weight")!;
    expect(shape).toEqual([1024, 512, 3, 3]);
    // Pixels 0, 3 and 6 of each row and column.
    const places = [0, 3, 6, 21, 24, 27, 42, 45, 48];
    expect([...data.subarray(0, 9)]).toEqual(places);
    expect([...data.subarray(5 * 512 * 9 + 100 * 9).subarray(0, 9)]).toEqual(places.map((place) => 20_000 + place));
    expect([...weights.get("base.fc6.bias")!.data.subarray(0, 3)]).toEqual([0, 4, 8]);
  });

  test("fc7 keeps every fourth channel of both sides", () => {
    const { shape, data } = weights.get("base.fc7.weight")!;
    expect(shape).toEqual([1024, 1024, 1, 1]);
    expect(data[1024 * 3 + 2]).toBe(12 + 8 / 4096);
    expect(data.at(-1)).toBe(4092 + 4092 / 4096);
    expect(weights.get("base.fc7.bias")!.data.at(-1)).toBe(4092);
  });

  test("the rest is drawn: uniform within Glorot's bounds, biases 0, norms 20", () => {
    expect(drawn).toEqual(["base.conv4_3.norm", "head0.offsets"]);
    expect(new Set(weights.get("base.conv4_3.norm.scale")!.data)).toEqual(new Set([20]));
    expect(new Set(weights.get("head0.offsets.bias")!.data)).toEqual(new Set([0]));
    const { data } = weights.get("head0.offsets.weight")!;
    const bound = Math.sqrt(6 / ((512 + 8) * 9));
    expect(Math.max(...data.map(Math.abs))).toBeLessThan(bound);
    // A uniform distribution's deviation is its bound over the root of 3; 36,864 draws come this near.
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    expect(deviation / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
  });

  test("the same seed draws the same, another one something else", () => {
    const noClassifier = { ...VGG16, tensors: new Map(CONVS) };
    const draw = (seed: number): number[] => {
      const { weights: started } = startFromVgg16(ends(CAFFE_MEAN, 1), noClassifier, seed);
      return [...started.get("head0.offsets.weight")!.data];
    };
    const first = draw(1);
    expect(draw(1)).toEqual(first);
    expect(draw(2)).not.toEqual(first);
  });
});

test("a network without atrous layers takes fc6 and fc7 whole", () => {
  const { weights, subsampled } = startFromVgg16(ends(CAFFE_MEAN, 1, false), VGG16, 1);
  expect(subsampled).toEqual([]);
  const fc6 = weights.get("base.fc6.weight")!;
  expect(fc6.shape).toEqual([4096, 512, 7, 7]);
  expect(fc6.data).toBe(FC6.data);
  expect(weights.get("base.fc7.weight")!.shape).toEqual([4096, 4096, 1, 1]);
});

test("Caffe's reduced VGG16 is taken as it is", () => {
  const [fc6, fc7] = [tensor([1024, 512, 3, 3], (i) => i), tensor([1024, 1024, 1, 1], (i) => i)];
  const biases = ["fc6.bias", "fc7.bias"].map((name): [string, Tensor] => [name, tensor([1024], (i) => i)]);
  const tensors = new Map([...CONVS, ...biases, ["fc6.weight", fc6], ["fc7.weight", fc7]] as const);
  const { weights, subsampled } = startFromVgg16(ends(CAFFE_MEAN, 1), { ...VGG16, tensors }, 1);
  expect(subsampled).toEqual([]);
  expect(weights.get("base.fc6.weight")).toBe(fc6);
  expect(weights.get("base.fc7.weight")).toBe(fc7);
});

test("conv1_1 answers to pixels of another mean and scale as it did to those that it was trained on", () => {
  const [mean, scale] = [[100, 110, 120] as const, 0.5];
  const theirs = { mean: [123.7, 116.3, 103.5], scale: [0.017, 0.0175, 0.018] } as const;
  const { weights } = startFromVgg16(ends(mean, scale), { ...VGG16, tensors: new Map(CONVS), pixels: theirs }, 1);
  const [weight, bias] = [weights.get("base.conv1_1.weight")!.data, weights.get("base.conv1_1.bias")!.data];
  const values = Array.from({ length: 27 }, (_, i) => (i * 37) % 256);
  for (const out of [0, 1]) {
    let [ours, before] = [bias[out]!, out];
    for (const [i, value] of values.entries()) {
      const colour = Math.floor(i / 9);
      ours += (value - mean[colour]!) * scale * weight[out * 27 + i]!;
      before += (value - theirs.mean[colour]!) * theirs.scale[colour]! * ((out * 27 + i) / 10);
    }
    expect(ours).toBeCloseTo(before, 3);
  }
});

test("a network that is not VGG16 is refused", () => {
  const graph = buildSsd(SPECS.find(({ name }) => name === "ssdlite-mobilenet-v2")!);
  expect(() => startFromVgg16(graph, VGG16, 1)).toThrow(
    expect.objectContaining({
      code: "WEIGHTS_MISFIT",
      message: "vgg16.file is of VGG16, and ssdlite-mobilenet-v2 has another base network.",
    }),
  );
});

test.each([
  ["missing", undefined, "WEIGHTS_MISSING", "vgg16.file has no tensor conv5_3.weight, which ends needs (512x2x3x3)."],
  [
    "smaller",
    tensor([2, 2], () => 1),
    "WEIGHTS_MISFIT",
    "conv5_3.weight in vgg16.file is 2x2, and ends wants 512x2x3x3.",
  ],
])("a convolution that is %s is named", (_, odd, code, message) => {
  const tensors = new Map(whole);
  if (odd) tensors.set("conv5_3.weight", odd);
  else tensors.delete("conv5_3.weight");
  expect(() => startFromVgg16(ends(CAFFE_MEAN, 1), { ...VGG16, tensors }, 1)).toThrow(
    expect.objectContaining({ code, message }),
  );
});

describe("names and pixels", () => {
  const small = tensor([1], () => 1);
  const first = tensor([1, 3, 1, 1], (i) => i);
  const torch: Tensors = new Map([
    ["features.0.weight", first],
    ["features.28.bias", small],
    ["features.28.weight", small],
    ["classifier.0.weight", small],
    ["classifier.3.bias", small],
    ["classifier.6.bias", small],
  ]);

  test("of torchvision's are found, and its pixels are scaled to about 1", () => {
    expect(isTorchVgg16(torch)).toBe(true);
    const { tensors, pixels: found } = vgg16FromTorch(torch, "file");
    expect([...tensors.keys()]).toEqual(["conv1_1.weight", "conv5_3.weight", "conv5_3.bias", "fc6.weight", "fc7.bias"]);
    expect(found.mean[0]).toBeCloseTo(123.675);
    expect(found.scale[0]).toBeCloseTo(0.017125);
  });

  test("of its features for SSDs are Caffe's pixels, and the classifier of NaN is passed over", () => {
    const features = new Map([...torch, ["classifier.0.weight", tensor([4], () => Number.NaN)]] as const);
    const { tensors, pixels: found } = vgg16FromTorch(features, "file");
    expect([...tensors.keys()]).toEqual(["conv1_1.weight", "conv5_3.weight", "conv5_3.bias"]);
    expect(found).toEqual({ mean: [123.68, 116.779, 103.939], scale: [1, 1, 1] });
    expect(startFromVgg16(ends(CAFFE_MEAN, 1), { ...VGG16, tensors: new Map(CONVS) }, 1).drawn).toEqual([
      "base.fc6",
      "base.fc7",
      "base.conv4_3.norm",
      "head0.offsets",
    ]);
  });

  test("of Caffe's are ours, but that its pictures are B, G, R", () => {
    const blobs: Tensors = new Map([
      ["conv1_1.weight", first],
      ["conv5_3.weight", small],
    ]);
    expect(isCaffeVgg16(blobs)).toBe(true);
    expect(vgg16FromCaffe(blobs, "file").tensors.get("conv1_1.weight")!.data).toEqual(Float32Array.of(2, 1, 0));
  });
});
