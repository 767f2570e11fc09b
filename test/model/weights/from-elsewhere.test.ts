// Weights under torchvision's and Caffe's names, made ours: each in its place, and one sentence for each that does not fit.
import { describe, expect, test } from "vitest";
import { weightShapes } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SPECS } from "../../../src/model/specs.ts";
import { VARIANTS } from "../../../src/model/variants.ts";
import { isCaffeSsd, ssdFromCaffe } from "../../../src/model/weights/from-caffe.ts";
import { isTorchSsd, ssdFromTorch } from "../../../src/model/weights/from-torch.ts";
import type { Tensor, Tensors } from "../../../src/model/weights/safetensors.ts";

const specOf = (name: string): (typeof SPECS)[number] => [...SPECS, ...VARIANTS].find((spec) => spec.name === name)!;
const SSD300 = buildSsd(specOf("ssd300-vgg16-voc"));
const SSD512 = buildSsd(specOf("ssd512-vgg16-voc"));
const MOBILE = buildSsd(specOf("ssdlite-mobilenet-v2"));

/** Tensors of the shapes that their places have in our network; the first number of each is its turn. */
function tensorsFor(names: ReadonlyMap<string, string>, graph = SSD300): Tensors {
  const shapes = weightShapes(graph);
  return new Map(
    [...names].map(([theirs, ours], turn): [string, Tensor] => {
      const shape = shapes.get(ours)!;
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      data[0] = turn + 1;
      return [theirs, { shape, data }];
    }),
  );
}

const withBoth = (theirs: string, ours: string): [string, string][] =>
  ["weight", "bias"].map((kind) => [`${theirs}.${kind}`, `${ours}.${kind}`]);

// Typed out from the state dict that torchvision's ssd300_vgg16 prints.
const TORCH = new Map([
  ["backbone.scale_weight", "base.conv4_3.norm.scale"],
  ...withBoth("backbone.features.0", "base.conv1_1"),
  ...withBoth("backbone.features.2", "base.conv1_2"),
  ...withBoth("backbone.features.5", "base.conv2_1"),
  ...withBoth("backbone.features.7", "base.conv2_2"),
  ...withBoth("backbone.features.10", "base.conv3_1"),
  ...withBoth("backbone.features.12", "base.conv3_2"),
  ...withBoth("backbone.features.14", "base.conv3_3"),
  ...withBoth("backbone.features.17", "base.conv4_1"),
  ...withBoth("backbone.features.19", "base.conv4_2"),
  ...withBoth("backbone.features.21", "base.conv4_3"),
  ...withBoth("backbone.extra.0.1", "base.conv5_1"),
  ...withBoth("backbone.extra.0.3", "base.conv5_2"),
  ...withBoth("backbone.extra.0.5", "base.conv5_3"),
  ...withBoth("backbone.extra.0.7.1", "base.fc6"),
  ...withBoth("backbone.extra.0.7.3", "base.fc7"),
  ...[0, 1, 2, 3].flatMap((i) => [
    ...withBoth(`backbone.extra.${i + 1}.0`, `extra${i}.reduce`),
    ...withBoth(`backbone.extra.${i + 1}.2`, `extra${i}.expand`),
  ]),
  ...[0, 1, 2, 3, 4, 5].flatMap((i) => [
    ...withBoth(`head.regression_head.module_list.${i}`, `head${i}.offsets`),
    ...withBoth(`head.classification_head.module_list.${i}`, `head${i}.logits`),
  ]),
]);

/** The layers of the released models with an input of 300 or 512 pixels. */
function caffeNames(extras: readonly number[]): Map<string, string> {
  const stages = [2, 2, 3, 3, 3].map((count, stage) =>
    Array.from({ length: count }, (_, i) => `conv${stage + 1}_${i + 1}`),
  );
  const sources = ["conv4_3_norm", "fc7", ...extras.map((stage) => `conv${stage}_2`)];
  return new Map([
    ["conv4_3_norm.weight", "base.conv4_3.norm.scale"],
    ...[...stages.flat(), "fc6", "fc7"].flatMap((name) => withBoth(name, `base.${name}`)),
    ...extras.flatMap((stage, i) => [
      ...withBoth(`conv${stage}_1`, `extra${i}.reduce`),
      ...withBoth(`conv${stage}_2`, `extra${i}.expand`),
    ]),
    ...sources.flatMap((source, i) => [
      ...withBoth(`${source}_mbox_loc`, `head${i}.offsets`),
      ...withBoth(`${source}_mbox_conf`, `head${i}.logits`),
    ]),
  ]);
}
const CAFFE_300 = caffeNames([6, 7, 8, 9]);
const CAFFE_512 = caffeNames([6, 7, 8, 9, 10]);

describe.each([
  ["torchvision's SSD300", TORCH, SSD300, ssdFromTorch, isTorchSsd],
  ["Caffe's SSD300", CAFFE_300, SSD300, ssdFromCaffe, isCaffeSsd],
  ["Caffe's SSD512", CAFFE_512, SSD512, ssdFromCaffe, isCaffeSsd],
] as const)("%s", (_, names, graph, convert, isSsd) => {
  const theirs = tensorsFor(names, graph);

  test("is known by its names, and fills every weight of the network with the tensor of its place", () => {
    expect(isSsd(theirs)).toBe(true);
    const ours = convert(graph, theirs, "file");
    expect(new Set(ours.keys())).toEqual(new Set(weightShapes(graph).keys()));
    // The colours of the first convolution change places in Caffe's.
    const others = [...names].filter(([, to]) => to !== "base.conv1_1.weight");
    expect(others.filter(([from, to]) => ours.get(to) !== theirs.get(from))).toEqual([]);
  });

  const [name] = [...names.keys()].slice(-1) as [string];
  const shape = theirs.get(name)!.shape.join("x");
  test("names a tensor that is missing", () => {
    const others = new Map([...theirs].filter(([key]) => key !== name));
    expect(() => convert(graph, others, "net.file")).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_MISSING",
        message: `net.file has no tensor ${name}, which ${graph.name} needs (${shape}).`,
      }),
    );
  });

  test("names a tensor of another shape", () => {
    const odd = new Map([...theirs, [name, { shape: [1, 2], data: Float32Array.of(1, 2) }]] as const);
    expect(() => convert(graph, odd, "net.file")).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_MISFIT",
        message: `${name} in net.file is 1x2, and ${graph.name} wants ${shape}.`,
      }),
    );
  });

  test.each([Number.NaN, Infinity, -Infinity])("names a tensor with %d in it", (value) => {
    const tensor = theirs.get(name)!;
    const odd = new Map([...theirs, [name, { shape: tensor.shape, data: tensor.data.with(3, value) }]] as const);
    expect(() => convert(graph, odd, "net.file")).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_NOT_FINITE",
        message: `${name} in net.file has ${value} as its number 3.`,
      }),
    );
  });

  test("is not put into another network", () => {
    expect(() => convert(MOBILE, theirs, "net.file")).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_MISFIT",
        message: expect.stringMatching(/^net\.file is of .* has nothing for base\.conv.* of ssdlite-mobilenet-v2\.$/),
      }),
    );
  });
});

test("Caffe's pictures are B, G, R: the channels of the first convolution change places", () => {
  const theirs = new Map(tensorsFor(CAFFE_300));
  const { shape } = theirs.get("conv1_1.weight")!;
  const colours = Float32Array.from({ length: 64 * 27 }, (_, i) => Math.floor(i / 9) % 3);
  theirs.set("conv1_1.weight", { shape, data: colours.map((colour, i) => colour * 100 + (i % 9)) });
  const { data } = ssdFromCaffe(SSD300, theirs, "file").get("base.conv1_1.weight")!;
  expect(data).toEqual(colours.map((colour, i) => (2 - colour) * 100 + (i % 9)));
});

test("a variant with fewer maps predicts from the layers that its maps lie on", () => {
  const graph = buildSsd(specOf("ssd300-vgg16-voc-maps-1"));
  const names = new Map([...caffeNames([])].map(([theirs, ours]) => [theirs, ours.replace("head1", "head0")]));
  for (const name of names.keys()) if (name.startsWith("conv4_3_norm")) names.delete(name);
  const theirs = tensorsFor(names, graph);
  const ours = ssdFromCaffe(graph, theirs, "file");
  expect(ours.get("head0.offsets.weight")).toBe(theirs.get("fc7_mbox_loc.weight"));
});
