// Graphs infer shapes and padding while they are built, and refuse what does not fit.
import { describe, expect, test } from "vitest";
import { GraphBuilder, type Ref, weightShapes } from "../../src/model/graph.ts";

const input = (graph: GraphBuilder, width = 7, height = 7): Ref => graph.input(width, height, [0, 0, 0], 1);

/** The one convolution of a graph over a square picture: its output side and its padding. */
function convOf(size: number, kernel: number, stride: number): [side: number, padding: readonly number[]] {
  const graph = new GraphBuilder("test");
  const conv = graph.conv("conv", input(graph, size, size), 4, { kernel, stride });
  const node = graph.build(conv, conv).nodes.find(({ name }) => name === "conv");
  return [conv.shape[1], node?.kind === "conv" ? node.padding : []];
}

describe("a graph", () => {
  test("infers shapes from node to node", () => {
    const graph = new GraphBuilder("test");
    const picture = input(graph, 9, 5);
    expect(picture.shape).toEqual([3, 5, 9]);
    const wide = graph.conv("wide", picture, 8, { kernel: 3, stride: 2 });
    expect(wide.shape).toEqual([8, 3, 5]);
    expect(graph.activation("relu6", wide).shape).toEqual([8, 3, 5]);
    expect(graph.add("sum", wide, graph.conv("same", wide, 8)).shape).toEqual([8, 3, 5]);
    expect(graph.rows("rows", [wide, graph.conv("small", wide, 4, { kernel: 3, stride: 3 })], 4).shape).toEqual([
      1,
      2 * 15 + 2,
      4,
    ]);
  });

  test.each([
    // size, kernel, stride, output, top left bottom right
    [300, 3, 2, 150, [0, 0, 1, 1]],
    [75, 3, 2, 38, [1, 1, 1, 1]],
    [19, 3, 1, 19, [1, 1, 1, 1]],
    [2, 3, 2, 1, [0, 0, 1, 1]],
    [1, 3, 2, 1, [1, 1, 1, 1]],
    [5, 1, 1, 5, [0, 0, 0, 0]],
    [5, 1, 2, 3, [0, 0, 0, 0]],
    [4, 2, 1, 4, [0, 0, 1, 1]],
  ])(
    "pads %d pixels under a kernel of %d with stride %d as TensorFlow's SAME does",
    (size, kernel, stride, side, pads) => {
      expect(convOf(size, kernel, stride)).toEqual([side, pads]);
    },
  );

  test("says which shape each weight must have", () => {
    const graph = new GraphBuilder("test");
    const wide = graph.conv("wide", input(graph), 8, { kernel: 3 });
    const depthwise = graph.conv("depthwise", wide, 8, { kernel: 3, groups: 8 });
    const halves = graph.conv("halves", depthwise, 4, { groups: 2 });
    expect([...weightShapes(graph.build(halves, halves))]).toEqual([
      ["wide.weight", [8, 3, 3, 3]],
      ["wide.bias", [8]],
      ["depthwise.weight", [8, 1, 3, 3]],
      ["depthwise.bias", [8]],
      ["halves.weight", [4, 4, 1, 1]],
      ["halves.bias", [4]],
    ]);
  });

  test("refuses channels that cannot be split into groups", () => {
    const graph = new GraphBuilder("test");
    const picture = input(graph);
    expect(() => graph.conv("bad", picture, 6, { groups: 2 })).toThrow("bad: 3 -> 6 channels cannot be split");
    expect(() => graph.conv("bad", picture, 4, { groups: 3 })).toThrow("bad: 3 -> 4 channels cannot be split");
  });

  test("refuses a sum of two shapes", () => {
    const graph = new GraphBuilder("test");
    const a = graph.conv("a", input(graph), 4);
    const b = graph.conv("b", a, 4, { stride: 2 });
    expect(() => graph.add("sum", a, b)).toThrow("sum: shapes 4x7x7 and 4x4x4 differ.");
  });

  test("refuses rows that do not divide the channels", () => {
    const graph = new GraphBuilder("test");
    const map = graph.conv("map", input(graph), 10);
    expect(() => graph.rows("rows", [map], 4)).toThrow("rows: 10 channels of map are no rows of 4.");
  });

  test("refuses two nodes of one name", () => {
    const graph = new GraphBuilder("test");
    const picture = input(graph);
    graph.conv("twin", picture, 4);
    expect(() => graph.conv("twin", picture, 4)).toThrow("twin: there are two nodes of this name.");
  });

  test("refuses a node of another graph", () => {
    const other = new GraphBuilder("other");
    const foreign = other.conv("foreign", input(other), 4);
    expect(() => new GraphBuilder("test").activation("relu6", foreign)).toThrow("foreign: no such node.");
  });
});
