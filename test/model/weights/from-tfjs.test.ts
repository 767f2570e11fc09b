// Weights of a tfjs model, read from its shards and made ours: batch norm folded, layouts and box order changed.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GraphBuilder } from "../../../src/model/graph.ts";
import { ssdliteFromTfjs } from "../../../src/model/weights/from-tfjs.ts";
import type { Tensor } from "../../../src/model/weights/safetensors.ts";
import { readTfjsTensors } from "../../../src/model/weights/tfjs-file.ts";

const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({ shape, data: Float32Array.from(data) });

test("tensors are found in their shards, wherever those are cut, and integers are passed over", async () => {
  const folder = await mkdtemp(join(tmpdir(), "multibox-tfjs-"));
  try {
    const weights = [
      { name: "first", shape: [2], dtype: "float32" },
      { name: "count", shape: [], dtype: "int32" },
      { name: "second", shape: [1, 2], dtype: "float32" },
    ];
    const data = Buffer.from(Float32Array.of(1, 2, 0, 3, 4).buffer);
    await writeFile(join(folder, "model.json"), JSON.stringify({ weightsManifest: [{ paths: ["a", "b"], weights }] }));
    await writeFile(join(folder, "a"), data.subarray(0, 6));
    await writeFile(join(folder, "b"), data.subarray(6));
    expect([...(await readTfjsTensors(folder))]).toEqual([
      ["first", tensor([2], 1, 2)],
      ["second", tensor([1, 2], 3, 4)],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("quantised tensors are read from the manifest of weights alone: value * scale + min", async () => {
  const folder = await mkdtemp(join(tmpdir(), "multibox-tfjs-"));
  try {
    const weights = [
      { name: "bytes", shape: [3], dtype: "float32", quantization: { dtype: "uint8", scale: 0.5, min: -1 } },
      { name: "count", shape: [2], dtype: "int32", quantization: { dtype: "uint8", scale: 1, min: 3 } },
      { name: "words", shape: [1], dtype: "float32", quantization: { dtype: "uint16", scale: 0.25, min: 0 } },
      { name: "plain", shape: [1], dtype: "float32" },
    ];
    const plain = Buffer.from(Float32Array.of(7).buffer);
    await writeFile(join(folder, "manifest.json"), JSON.stringify([{ paths: ["a"], weights }]));
    await writeFile(join(folder, "a"), Buffer.concat([Buffer.of(0, 4, 255, 9, 9, 0x00, 0x01), plain]));
    expect([...(await readTfjsTensors(folder, "manifest.json"))]).toEqual([
      ["bytes", tensor([3], -1, 1, 126.5)],
      ["words", tensor([1], 64)],
      ["plain", tensor([1], 7)],
    ]);
    await writeFile(join(folder, "a"), Buffer.of(0, 4, 255, 9));
    await expect(readTfjsTensors(folder, "manifest.json")).rejects.toMatchObject({
      code: "WEIGHTS_UNREADABLE",
      message: expect.stringContaining("end within count"),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a convolution's weights go from height x width x in x out to out x in x height x width", () => {
  const graph = new GraphBuilder("test");
  const conv = graph.conv("base.conv", graph.input(4, 4, [0, 0, 0], 1), 2, { kernel: 1 });
  const scope = "FeatureExtractor/MobilenetV2/Conv";
  const weights = ssdliteFromTfjs(
    graph.build(conv, conv),
    new Map([
      [`${scope}/Conv2D/merged_input`, tensor([1, 1, 3, 2], 1, 10, 2, 20, 3, 30)],
      [`${scope}/BatchNorm/batchnorm/sub`, tensor([2], 7, 70)],
    ]),
  );
  expect(weights.get("base.conv.weight")).toEqual(tensor([2, 3, 1, 1], 1, 2, 3, 10, 20, 30));
  expect(weights.get("base.conv.bias")).toEqual(tensor([2], 7, 70));
});

test("a predictor's batch norm is folded into its depthwise convolution", () => {
  const graph = new GraphBuilder("test");
  const input = graph.input(4, 4, [0, 0, 0], 1);
  const conv = graph.conv("head0.logits.depthwise", input, 3, { kernel: 1, groups: 3 });
  const scope = "BoxPredictor_0/ClassPredictor_depthwise";
  const weights = ssdliteFromTfjs(
    graph.build(conv, conv),
    new Map([
      [`${scope}/depthwise_weights`, tensor([1, 1, 3, 1], 1, 2, 3)],
      [`${scope}/BatchNorm/gamma`, tensor([3], 1, 2, 3)],
      [`${scope}/BatchNorm/beta`, tensor([3], 5, 5, 5)],
      [`${scope}/BatchNorm/moving_mean`, tensor([3], 0, 1, 2)],
      // With the epsilon of 0.001 their roots are 1, 2 and 0.5.
      [`${scope}/BatchNorm/moving_variance`, tensor([3], 0.999, 3.999, 0.249)],
    ]),
  );
  const rounded = (name: string): number[] => Array.from(weights.get(name)!.data, (value) => Number(value.toFixed(5)));
  expect(rounded("head0.logits.depthwise.weight")).toEqual([1, 2, 18]);
  expect(rounded("head0.logits.depthwise.bias")).toEqual([5, 4, -7]);
});

test("boxes go from y, x, height, width to x, y, width, height", () => {
  const graph = new GraphBuilder("test");
  const conv = graph.conv("head2.offsets.project", graph.input(1, 1, [0, 0, 0], 1), 8);
  const byInput = [0, 1, 2].map((channel) => Array.from({ length: 8 }, (_, out) => out * 10 + channel));
  const weights = ssdliteFromTfjs(
    graph.build(conv, conv),
    new Map([
      ["BoxPredictor_2/BoxEncodingPredictor/weights", tensor([1, 1, 3, 8], ...byInput.flat())],
      ["BoxPredictor_2/BoxEncodingPredictor/biases", tensor([8], 0, 1, 2, 3, 4, 5, 6, 7)],
    ]),
  );
  expect(weights.get("head2.offsets.project.bias")!.data).toEqual(Float32Array.of(1, 0, 3, 2, 5, 4, 7, 6));
  const rows = [10, 0, 30, 20, 50, 40, 70, 60].flatMap((first) => [first, first + 1, first + 2]);
  expect(weights.get("head2.offsets.project.weight")).toEqual(tensor([8, 3, 1, 1], ...rows));
});

test("a tensor that is missing is named", () => {
  const graph = new GraphBuilder("test");
  const conv = graph.conv("extra1.reduce", graph.input(1, 1, [0, 0, 0], 1), 128);
  expect(() => ssdliteFromTfjs(graph.build(conv, conv), new Map())).toThrow(
    expect.objectContaining({
      code: "WEIGHTS_MISSING",
      message: expect.stringContaining("layer_19_1_Conv2d_3_1x1_128/BatchNorm/batchnorm/sub"),
    }),
  );
});
