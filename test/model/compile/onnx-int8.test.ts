// int8 models: what is quantised and what is not, a convolution whose integers are typed out, and the default model's accuracy.
import onnxProto from "onnx-proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { observedNodes, planInt8 } from "../../../src/model/compile/int8-plan.ts";
import { compileOnnx } from "../../../src/model/compile/onnx.ts";
import { createDetector, type Detector } from "../../../src/model/detector.ts";
import type { Ranges } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { type Graph, GraphBuilder } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SPECS, SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { defaultBundle } from "../../support/model.ts";
import { iou } from "../../support/boxes.ts";
import { worstDifference } from "../support/differences.ts";
import { noisePicture, photo } from "../support/pictures.ts";
import { randomWeights } from "../support/random-weights.ts";

describe("what is quantised", () => {
  const ssdlite = buildSsd(SSDLITE_MOBILENET_V2);
  const ssd300 = buildSsd(SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!);

  test.each([ssdlite, ssd300])("every convolution of $name but the last ones of its heads", (graph) => {
    const left = graph.nodes.filter(({ kind, name }) => kind === "conv" && !planInt8(graph).convs.has(name));
    const last = graph.nodes.filter(({ name }) => /^head\d\.(offsets|logits)(\.project)?$/.test(name));
    expect(left).toEqual(last);
  });

  test("pools pick among their input's integers, and norms are left alone", () => {
    const { pooled, quantized } = planInt8(ssd300);
    expect(pooled.get("base.pool5")).toBe("base.conv5_3.relu");
    expect(observedNodes(ssd300).filter((name) => /pool|norm|input/.test(name))).toEqual([]);
    expect(quantized.has("base.conv4_3.norm")).toBe(false);
  });

  test("a range that is missing is named, with what to do", () => {
    const ranges = new Map(observedNodes(ssdlite).map((name) => [name, [-1, 6] as const]));
    ranges.delete("base.block4.add");
    const message = expect.stringMatching(/ssdlite-mobilenet-v2 .* base\.block4\.add is missing\.$/);
    const hint = expect.stringContaining("multibox quantize");
    expect(() => compileOnnx(ssdlite, randomWeights(ssdlite, 1), ranges)).toThrow(
      expect.objectContaining({ code: "PRECISION_UNAVAILABLE", message, hint }),
    );
  });

  test("weights are int8 with a scale for each output channel, biases int32", () => {
    const ranges = new Map(observedNodes(ssdlite).map((name) => [name, [-1, 6] as const]));
    const { initializer } = onnxProto.onnx.ModelProto.decode(
      compileOnnx(ssdlite, randomWeights(ssdlite, 1), ranges),
    ).graph!;
    const of = (name: string): unknown[] => {
      const found = initializer!.find((one) => one.name === name);
      return [found?.dataType, found?.dims!.map(Number)];
    };
    const { INT8, INT32, FLOAT } = onnxProto.onnx.TensorProto.DataType;
    expect(of("base.block1.expand.weight.quantized")).toEqual([INT8, [96, 16, 1, 1]]);
    expect(of("head0.logits.project.matrix")).toEqual([INT8, [576, 273]]);
    expect(of("base.block1.expand.weight.quantum")).toEqual([FLOAT, [96]]);
    expect(of("base.block1.expand.bias.quantized")).toEqual([INT32, [96]]);
    expect(of("base.block1.expand.weight")[0], "fp32 weights that nothing reads").toBeUndefined();
  });
});

describe("a network of one pixel", () => {
  /** `first` (1x1, relu6) is int8; the two that answer hand its channels on, as integer products that are not rounded. */
  function network(mean: [number, number, number]): { graph: Graph; weights: Tensors } {
    const builder = new GraphBuilder("one pixel");
    const first = builder.activation("relu6", builder.conv("first", builder.input(1, 1, mean, 0.1), 4));
    const offsets = builder.conv("offsets.conv", first, 4);
    const logits = builder.conv("logits.conv", first, 4);
    const graph = builder.build(builder.rows("offsets", [offsets], 4), builder.rows("logits", [logits], 4));
    const identity = { shape: [4, 4, 1, 1], data: Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)) };
    const zeros = { shape: [4], data: new Float32Array(4) };
    const weights: Tensors = new Map([
      ["first.weight", { shape: [4, 3, 1, 1], data: Float32Array.of(1, 0, 0, 0, 0.5, 0, 1, -1, 0, 0, 0, 3) }],
      ["first.bias", { shape: [4], data: Float32Array.of(0, 1, 0.25, 0) }],
      ["offsets.conv.weight", identity],
      ["offsets.conv.bias", zeros],
      ["logits.conv.weight", identity],
      ["logits.conv.bias", zeros],
    ]);
    return { graph, weights };
  }

  async function run(mean: [number, number, number], range: [number, number], pixel: number[]): Promise<number[]> {
    const ranges: Ranges = new Map([["first.relu6", range]]);
    const engine = await openOnnxCpu({ ...network(mean), ranges }, { threads: 1, precision: "int8" });
    try {
      return [...(await engine.run(Uint8Array.from(pixel), 1)).offsets];
    } finally {
      await engine.close();
    }
  }

  // Input: (byte - mean) / 10. first: a, 1 + b / 2, 1/4 + a - b, 3c, between 0 and 6 in steps of 5.1 / 255 = 0.02.
  test.each<[string, [number, number, number], [number, number], number[], number[], number?]>([
    ["with bytes as its integers", [100, 100, 100], [0, 5.1], [120, 110, 110], [2, 1.5, 1.25, 3]],
    [
      "with half a step between mean and zero point",
      [99.5, 99.5, 99.5],
      [0, 5.1],
      [120, 110, 110],
      [2.05, 1.525, 1.25, 3.15],
    ],
    ["with a mean for each channel", [100, 90, 110], [0, 5.1], [120, 110, 120], [2, 2, 0.25, 3], 0.17],
    ["cut off at its range, and at zero", [100, 100, 100], [0, 5.1], [90, 200, 255], [0, 5.1, 0, 5.1]],
    ["cut off at six, whatever was seen", [100, 100, 100], [-3, 9], [255, 255, 255], [6, 6, 0.25, 6]],
    ["where only zero was seen", [100, 100, 100], [0, 0], [105, 90, 90], [0.5, 0.5, 1, 0]],
  ])("answers as on paper, %s", async (_, mean, range, pixel, expected, within = 0.013) => {
    const answer = await run(mean, range, pixel);
    // Half a step of the output; and of the input, times three, where its bytes are rounded to others.
    for (const [i, value] of expected.entries())
      expect(Math.abs(answer[i]! - value), `channel ${i}`).toBeLessThan(within);
  });
});

test("a first convolution over squares of pixels is the same convolution", async () => {
  // 4 x 4 pixels, 3 x 3 with stride 2: the last window's third row and column are padding, which is half a step off zero.
  const builder = new GraphBuilder("four pixels");
  const conv = builder.conv("stem", builder.input(4, 4, [127.5, 127.5, 127.5], 1 / 127.5), 4, { kernel: 3, stride: 2 });
  const map = builder.activation("relu6", conv);
  const heads = ["offsets", "logits"].map((kind) => builder.rows(kind, [builder.conv(`${kind}.conv`, map, 4)], 4));
  const graph = builder.build(heads[0]!, heads[1]!);
  const weights = randomWeights(graph, 9);
  const ranges: Ranges = new Map([["stem.relu6", [0, 6]]]);
  const pixels = noisePicture(4, 4, 2).data;
  const answers = await Promise.all(
    (["fp32", "int8"] as const).map(async (precision) => {
      const engine = await openOnnxCpu({ graph, weights, ranges }, { threads: 1, precision });
      const { offsets } = await engine.run(pixels, 1);
      await engine.close();
      return offsets;
    }),
  );
  expect(Math.max(...answers[0]!.map(Math.abs))).toBeGreaterThan(0.5);
  expect(worstDifference(answers[1]!, answers[0]!)).toBeLessThan(0.06);
});

describe("the default model in int8", () => {
  let detectors: Record<"fp32" | "int8", Detector>;
  beforeAll(async () => {
    const bundle = await defaultBundle();
    const open = async (precision: "fp32" | "int8"): Promise<Detector> => {
      const engine = await openOnnxCpu(bundle, { threads: 0, precision });
      expect(engine.description).toMatch(precision === "int8" ? /^onnx:cpu int8, / : /^onnx:cpu, /);
      return createDetector(bundle, { engine, reason: "" }, { maxBatch: 1, minScore: 0.5 });
    };
    detectors = { fp32: await open("fp32"), int8: await open("int8") };
  });
  afterAll(() => Promise.all(Object.values(detectors).map((detector) => detector.close())));

  test.each(["dog.jpg", "horses.jpg", "person.jpg"])("finds what fp32 finds on %s", async (name) => {
    const { picture } = await photo(name, 11);
    const [sure] = (await detectors.fp32.detect([picture])).detections;
    const [found] = (await detectors.int8.detect([picture])).detections;
    for (const one of sure!.filter(({ score }) => score > 0.7)) {
      const match = found!.find(({ label, bbox }) => label === one.label && iou(bbox, one.bbox) > 0.8);
      expect(match, `${one.label} ${one.score}`).toBeDefined();
      expect(Math.abs(match!.score - one.score)).toBeLessThan(0.15);
    }
  });
});
