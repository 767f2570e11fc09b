// Networks of a few nodes, one for each kind of node and way of using it, between a convolution that learns and the heads.
import { type ConvOptions, type Graph, GraphBuilder, type MaxPoolOptions, type Ref } from "../../../src/model/graph.ts";

/** Pictures are `size` pixels high and one more wide, so that heights and widths cannot be taken for each other. */
function around(size: number, make: (graph: GraphBuilder, first: Ref) => Ref, scale = 1 / 64, channels = 4): Graph {
  const graph = new GraphBuilder("small");
  const input = graph.input(size + 1, size, [100, 110, 120], scale);
  const last = make(graph, graph.conv("first", input, channels, { kernel: 3 }));
  const offsets = graph.rows("offsets", [graph.conv("boxes", last, 8)], 4);
  return graph.build(offsets, graph.rows("logits", [graph.conv("classes", last, 6)], 3));
}

const conv = (channels: number, options: ConvOptions, size = 8): Graph =>
  around(size, (graph, first) => graph.conv("tested", first, channels, options));
/** With as many channels as ONNX Runtime has in a block, or twice as many, and an activation on either side. */
const wide = (kind: "relu" | "relu6", channels: number, options: ConvOptions): Graph =>
  around(
    5,
    (graph, first) => {
      const tested = graph.conv("tested", graph.activation(kind, first), channels, options);
      return graph.activation(kind, tested);
    },
    1 / 16,
    16,
  );
const twins = (channels: number, each: number): Graph => {
  const graph = new GraphBuilder("small");
  const first = graph.conv("first", graph.input(7, 6, [100, 110, 120], 1 / 64), channels, { kernel: 3 });
  const within = graph.add(
    "sum",
    graph.conv("left", first, each, { kernel: 3 }),
    graph.conv("right", first, each, { kernel: 3 }),
  );
  const head = (name: string, columns: number): Ref =>
    graph.rows(name, [graph.conv(`${name}.map`, within, columns, { kernel: 3 })], columns);
  return graph.build(head("offsets", 4), head("logits", 3));
};
const pool = (options: MaxPoolOptions, size = 8): Graph =>
  around(size, (graph, first) => graph.maxPool("tested", first, options));

export const SMALL_GRAPHS: Readonly<Record<string, () => Graph>> = {
  "conv 1x1": () => conv(5, {}),
  "conv 1x1, stride 2": () => conv(5, { stride: 2 }),
  "conv 3x3": () => conv(5, { kernel: 3 }),
  "conv 3x3 to fewer channels": () => conv(3, { kernel: 3 }),
  "conv 3x3 without padding, to fewer channels": () => conv(3, { kernel: 3, padding: 0 }),
  "conv 3x3, stride 2, more padding at the end": () => conv(5, { kernel: 3, stride: 2 }),
  "conv 3x3, stride 2, pixels that no window reaches": () => conv(5, { kernel: 3, stride: 2, padding: 0 }),
  "conv 2x2, more padding at the end": () => conv(5, { kernel: 2 }),
  "conv 2x2 to fewer channels, more padding at the end": () => conv(3, { kernel: 2 }),
  "conv 4x4 with padding of 1": () => conv(5, { kernel: 4, padding: 1 }),
  "conv 1x1 with padding of 1, more than it reaches over": () => conv(5, { padding: 1 }),
  "conv 3x3, dilated by 3": () => conv(5, { kernel: 3, dilation: 3 }),
  "conv 3x3, dilated by 3, to fewer channels": () => conv(3, { kernel: 3, dilation: 3 }),
  "conv 3x3, dilated by 2, stride 2": () => conv(5, { kernel: 3, dilation: 2, stride: 2, padding: 1 }),
  "depthwise 3x3": () => conv(4, { kernel: 3, groups: 4 }),
  "depthwise 3x3, stride 2": () => conv(4, { kernel: 3, groups: 4, stride: 2 }),
  "depthwise 3x3, stride 2, pixels that no window reaches": () =>
    conv(4, { kernel: 3, groups: 4, stride: 2, padding: 0 }),
  "depthwise 3x3, dilated by 2": () => conv(4, { kernel: 3, groups: 4, dilation: 2 }),
  "depthwise 3x3, two filters a channel": () => conv(8, { kernel: 3, groups: 4 }),
  "conv 3x3 in 2 groups, stride 2": () => conv(6, { kernel: 3, groups: 2, stride: 2 }),
  "wide depthwise 3x3 between two relu6": () => wide("relu6", 16, { kernel: 3, groups: 16 }),
  "wide depthwise 3x3, stride 2": () => wide("relu6", 16, { kernel: 3, groups: 16, stride: 2 }),
  "wide depthwise 3x3, dilated by 2": () => wide("relu", 16, { kernel: 3, groups: 16, dilation: 2 }),
  "wide conv 3x3 between two relu, to channels that fill no block": () => wide("relu", 18, { kernel: 3 }),
  "wide conv 2x2, stride 2": () => wide("relu6", 32, { kernel: 2, stride: 2 }),
  "maxpool 2x2, stride 2": () => pool({ kernel: 2, stride: 2 }),
  "maxpool 2x2, stride 2, rounding up": () => pool({ kernel: 2, stride: 2, ceil: true }, 9),
  "maxpool 3x3, stride 1, windows overlap": () => pool({ kernel: 3, stride: 1, padding: 1 }),
  "maxpool 3x3, stride 2, rounding up": () => pool({ kernel: 3, stride: 2, ceil: true }),
  l2norm: () => around(6, (graph, first) => graph.l2norm("tested", first)),
  relu: () => around(6, (graph, first) => graph.activation("relu", first)),
  // Brighter, so that some values are cut at 6.
  relu6: () => around(6, (graph, first) => graph.activation("relu6", first), 1 / 16),
  sigmoid: () => around(6, (graph, first) => graph.activation("sigmoid", first)),
  "add, and a node that three others read": () =>
    around(6, (graph, first) => graph.add("sum", graph.add("twice", first, first), graph.conv("tested", first, 4))),
  "two convolutions 3x3 of the same map, heads and within": () => twins(4, 3),
  "two wide convolutions 3x3 of the same map": () => twins(16, 12),
  "softmax, and rows of two maps": () => {
    const graph = new GraphBuilder("small");
    const first = graph.conv("first", graph.input(7, 6, [100, 110, 120], 1 / 64), 4, { kernel: 3 });
    const half = graph.conv("half", first, 4, { kernel: 3, stride: 2 });
    const heads = (name: string, columns: number): Ref =>
      graph.rows(name, [graph.conv(`${name}.a`, first, columns), graph.conv(`${name}.b`, half, 2 * columns)], columns);
    return graph.build(heads("offsets", 4), graph.activation("softmax", heads("logits", 3)));
  },
};
