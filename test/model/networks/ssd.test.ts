// The shapes of SSDLite-MobileNetV2, as its paper and TensorFlow's release have them.
import { describe, expect, test } from "vitest";
import { type Graph, weightShapes } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SSDLITE_MOBILENET_V2 } from "../../../src/model/specs.ts";

const graph = buildSsd(SSDLITE_MOBILENET_V2);

function shapeOf({ nodes }: Graph, name: string): readonly number[] | undefined {
  return nodes.find((node) => node.name === name)?.shape;
}

describe("SSDLite-MobileNetV2", () => {
  test("predicts from maps of 19, 10, 5, 3, 2 and 1 cells a side, four numbers a box", () => {
    const shapes = [0, 1, 2, 3, 4, 5].map((map) => shapeOf(graph, `head${map}.offsets.project`));
    expect(shapes).toEqual([
      [12, 19, 19],
      [24, 10, 10],
      [24, 5, 5],
      [24, 3, 3],
      [24, 2, 2],
      [24, 1, 1],
    ]);
  });

  test("predicts 91 classes a box", () => {
    expect(shapeOf(graph, "head0.logits.project")).toEqual([3 * 91, 19, 19]);
    expect(shapeOf(graph, "head5.logits.project")).toEqual([6 * 91, 1, 1]);
  });

  test("answers with 1917 rows of offsets and of logits", () => {
    expect(shapeOf(graph, graph.offsets)).toEqual([1, 1917, 4]);
    expect(shapeOf(graph, graph.logits)).toEqual([1, 1917, 91]);
  });

  test("takes its first two maps from the base: 576 channels at stride 16, 1280 at stride 32", () => {
    expect(shapeOf(graph, "head0.logits.depthwise")).toEqual([576, 19, 19]);
    expect(shapeOf(graph, "head1.logits.depthwise")).toEqual([1280, 10, 10]);
    const extras = [0, 1, 2, 3].map((extra) => shapeOf(graph, `extra${extra}.expand`));
    expect(extras).toEqual([
      [512, 5, 5],
      [256, 3, 3],
      [256, 2, 2],
      [128, 1, 1],
    ]);
  });

  test("has the ten shortcuts of MobileNetV2's 17 blocks", () => {
    expect(graph.nodes.filter(({ kind }) => kind === "add")).toHaveLength(10);
    expect(graph.nodes.filter(({ name }) => /^base\.block\d+\.project$/.test(name))).toHaveLength(17);
  });

  test("has 4.5 million weights", () => {
    let count = 0;
    for (const shape of weightShapes(graph).values()) count += shape.reduce((product, size) => product * size, 1);
    expect(count).toBe(4_475_167);
  });

  test("has other heads for other labels", () => {
    const two = buildSsd({ ...SSDLITE_MOBILENET_V2, labels: [null, "mask", "no mask"] });
    expect(shapeOf(two, two.logits)).toEqual([1, 1917, 3]);
  });

  test("refuses a tiling that is not that of its maps", () => {
    const maps = SSDLITE_MOBILENET_V2.maps.map((map) => ({ ...map, cells: map.cells + 1 }));
    expect(() => buildSsd({ ...SSDLITE_MOBILENET_V2, maps })).toThrow(
      "the network makes maps of 19x19 10x10 5x5 3x3 2x2 1x1 cells, the tiling has 20x20 11x11",
    );
  });

  test("refuses a tiling with more or fewer maps", () => {
    const maps = SSDLITE_MOBILENET_V2.maps.slice(0, 5);
    expect(() => buildSsd({ ...SSDLITE_MOBILENET_V2, maps })).toThrow("the tiling has 19x19 10x10 5x5 3x3 2x2.");
  });
});
