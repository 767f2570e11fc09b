// The presets against the sizes that the paper and the released models state.
import { describe, expect, test } from "vitest";
import { boxCount, defaultBoxes } from "../../src/model/default-boxes.ts";
import { type GraphNode, weightShapes } from "../../src/model/graph.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { SsdSpec } from "../../src/model/spec.ts";
import { SPECS } from "../../src/model/specs.ts";
import { VARIANTS } from "../../src/model/variants.ts";

const ALL = [...SPECS, ...VARIANTS];
const find = (name: string): SsdSpec => ALL.find((spec) => spec.name === name)!;
const nodeOf = (spec: SsdSpec, name: string): GraphNode => buildSsd(spec).nodes.find((node) => node.name === name)!;

describe("every preset", () => {
  test("has a name of its own", () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });

  test.each(ALL.map((spec) => [spec.name, spec] as const))(
    "%s is a valid spec, and stays the same as JSON",
    (_, spec) => {
      expect(SsdSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    },
  );

  test.each([
    ["ssdlite-mobilenet-v2", 1917, 91],
    ["ssd-mobilenet-v1-face", 5118, 3],
    ["ssd300-vgg16-voc", 8732, 21],
    ["ssd300-vgg16-coco", 8732, 81],
    ["ssd300-vgg16-ilsvrc", 8732, 201],
    ["ssd300-vgg16-torchvision", 8732, 91],
    ["ssd512-vgg16-voc", 24_564, 21],
    ["ssd512-vgg16-coco", 24_564, 81],
    ["ssd512-vgg16-ilsvrc", 24_564, 201],
    // SSD paper, tables 2 and 3.
    ["ssd300-vgg16-voc-ratios-2", 7760, 21],
    ["ssd300-vgg16-voc-ratios-1", 3880, 21],
    ["ssd300-vgg16-voc-full", 8732, 21],
    ["ssd300-vgg16-voc-maps-5", 8764, 21],
    ["ssd300-vgg16-voc-maps-4", 8942, 21],
    ["ssd300-vgg16-voc-maps-3", 9864, 21],
    ["ssd300-vgg16-voc-maps-2", 9025, 21],
    ["ssd300-vgg16-voc-maps-1", 8664, 21],
  ])("%s answers with %d boxes and %d classes", (name, boxes, classes) => {
    const spec = find(name);
    expect(boxCount(spec)).toBe(boxes);
    expect(nodeOf(spec, "offsets").shape).toEqual([1, boxes, 4]);
    expect(nodeOf(spec, "logits").shape).toEqual([1, boxes, classes]);
  });
});

describe("SSD on VGG16", () => {
  const shapesOf = (spec: SsdSpec, names: readonly string[]): (readonly number[])[] =>
    names.map((name) => nodeOf(spec, name).shape);

  test("has the feature maps of the paper's figure 2", () => {
    const names = ["base.conv4_3.norm", "base.fc7", "extra0.expand", "extra1.expand", "extra2.expand", "extra3.expand"];
    expect(shapesOf(find("ssd300-vgg16-voc"), names)).toEqual([
      [512, 38, 38],
      [1024, 19, 19],
      [512, 10, 10],
      [256, 5, 5],
      [256, 3, 3],
      [256, 1, 1],
    ]);
    expect(shapesOf(find("ssd512-vgg16-voc"), [...names, "extra4.expand"])).toEqual([
      [512, 64, 64],
      [1024, 32, 32],
      [512, 16, 16],
      [256, 8, 8],
      [256, 4, 4],
      [256, 2, 2],
      [256, 1, 1],
    ]);
  });

  test("rounds 75 pixels up to 38 at pool3, keeps 19 at pool5, and dilates fc6 by 6", () => {
    const spec = find("ssd300-vgg16-voc");
    expect(nodeOf(spec, "base.pool3")).toMatchObject({ shape: [256, 38, 38], padding: [0, 0, 1, 1] });
    expect(nodeOf(spec, "base.pool5")).toMatchObject({
      shape: [512, 19, 19],
      kernel: 3,
      stride: 1,
      padding: [1, 1, 1, 1],
    });
    expect(nodeOf(spec, "base.fc6")).toMatchObject({ shape: [1024, 19, 19], dilation: 6, padding: [6, 6, 6, 6] });
  });

  test("has as many weights as torchvision's ssd300_vgg16, which its documentation gives as 35 641 826", () => {
    let count = 0;
    for (const shape of weightShapes(buildSsd(find("ssd300-vgg16-torchvision"))).values())
      count += shape.reduce((product, size) => product * size, 1);
    expect(count).toBe(35_641_826);
  });

  test("without the atrous trick predicts from conv5_3 too, and keeps VGG16's own fc6 and fc7", () => {
    const spec = find("ssd300-vgg16-voc-full");
    expect(shapesOf(spec, ["base.conv5_3", "base.pool5", "base.fc6", "base.fc7"])).toEqual([
      [512, 19, 19],
      [512, 10, 10],
      [4096, 10, 10],
      [4096, 10, 10],
    ]);
    expect(nodeOf(spec, "head1.offsets")).toMatchObject({ input: "base.conv5_3.relu" });
  });

  test("with one map computes nothing for the others", () => {
    const names = buildSsd(find("ssd300-vgg16-voc-maps-1")).nodes.map(({ name }) => name);
    expect(names).toContain("base.fc7");
    expect(names.filter((name) => /norm|extra/.test(name))).toEqual([]);
  });
});

describe("default boxes of the released tilings", () => {
  /** The boxes of one cell, in pixels of the input: cx, cy, width, height. */
  const cellOf = (name: string, firstBox: number, count: number): number[][] => {
    const spec = find(name);
    const boxes = Array.from(defaultBoxes(spec).subarray(firstBox * 4, (firstBox + count) * 4));
    return Array.from({ length: count }, (_, i) =>
      boxes.slice(i * 4, i * 4 + 4).map((share) => share * spec.input.width),
    );
  };
  const closeTo = (boxes: number[][]): unknown[][] =>
    boxes.map((box) => box.map((x) => expect.closeTo(x, 3) as unknown));
  const root2 = Math.SQRT2;

  test("SSD300 on VOC: 30 pixels at conv4_3, centres at 4, 12, 20", () => {
    expect(cellOf("ssd300-vgg16-voc", 0, 4)).toEqual(
      closeTo([
        [4, 4, 30, 30],
        [4, 4, Math.sqrt(30 * 60), Math.sqrt(30 * 60)],
        [4, 4, 30 * root2, 30 / root2],
        [4, 4, 30 / root2, 30 * root2],
      ]),
    );
    expect(cellOf("ssd300-vgg16-voc", 4, 1)).toEqual(closeTo([[12, 4, 30, 30]]));
  });

  test("SSD512 on COCO: the last map's boxes of 460.8 pixels, and the one in between", () => {
    const between = Math.sqrt(460.8 * 542.72);
    expect(cellOf("ssd512-vgg16-coco", 24_560, 2)).toEqual(
      closeTo([
        [256, 256, 460.8, 460.8],
        [256, 256, between, between],
      ]),
    );
  });

  test("torchvision's are cut to the picture's sides, Caffe's are not", () => {
    const last = 8732 - 2;
    const wide = 261 * root2;
    expect(cellOf("ssd300-vgg16-coco", last, 1)).toEqual(closeTo([[150, 150, wide, 261 / root2]]));
    expect(cellOf("ssd300-vgg16-torchvision", last, 1)).toEqual(closeTo([[150, 150, 300, 261 / root2]]));
  });
});
