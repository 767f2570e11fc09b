// A graph and its weights -> the GraphDef of a TensorFlow.js graph model: a network that no code of ours has to run.
import {
  type ActivationNode,
  type ConvNode,
  type Graph,
  type GraphNode,
  type InputNode,
  inputShape,
  type L2NormNode,
  type MaxPoolNode,
  outputShapes,
  type RowsNode,
  type Shape,
} from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { depthwiseKernel, kernel } from "./tfjs-kernels.ts";
import {
  type Attributes,
  dtype,
  flag,
  type GraphDef,
  GraphDefBuilder,
  ints,
  tensorInfo,
  text,
  texts,
} from "./graph-def.ts";
import { isDepthwise, paddingKind, soleActivations } from "./windows.ts";

/**
 * Input `pictures`: int32 [batch, height, width, 3] of 0..255, for TensorFlow.js has no uint8. Outputs `offsets`: float32
 * [batch, boxes, 4] and `logits`: float32 [batch, boxes, classes]. The batch is free. Convolutions are fused with their biases
 * and activations, as TensorFlow.js's own converter does it. Throws for grouped convolutions that are not depthwise.
 */
export function tfjsGraph(graph: Graph, weights: Tensors): GraphDef {
  const to = new GraphDefBuilder();
  const shapes = outputShapes(graph);
  const fused = soleActivations(graph);
  const gone = new Set([...fused.values()].map(({ name }) => name));
  for (const node of graph.nodes) if (!gone.has(node.name)) addNode(to, node, graph, weights, fused.get(node.name));
  const [, height, width] = inputShape(graph);
  return to.build(
    { pictures: tensorInfo("pictures", "DT_INT32", [height, width, 3]) },
    {
      offsets: tensorInfo(graph.offsets, "DT_FLOAT", shapes.offsets.slice(1)),
      logits: tensorInfo(graph.logits, "DT_FLOAT", shapes.logits.slice(1)),
    },
  );
}

function addNode(
  to: GraphDefBuilder,
  node: GraphNode,
  graph: Graph,
  weights: Tensors,
  activation: ActivationNode | undefined,
): void {
  const sizeOf = (name: string): Shape => graph.nodes.find((other) => other.name === name)!.shape;
  switch (node.kind) {
    case "input":
      return addInput(to, node);
    case "conv":
      return addConv(to, node, weights, sizeOf(node.input), activation);
    case "maxpool":
      return addMaxPool(to, node, sizeOf(node.input));
    case "l2norm":
      return addL2Norm(to, node, weights);
    case "relu":
    case "relu6":
    case "sigmoid":
    case "softmax":
      return to.add(OPERATIONS[node.kind], node.name, [node.input]);
    case "add":
      return to.add("AddV2", node.name, node.inputs);
    case "rows":
      return addRows(to, node, sizeOf);
  }
}

const OPERATIONS = { relu: "Relu", relu6: "Relu6", sigmoid: "Sigmoid", softmax: "Softmax" } as const;

function addInput(to: GraphDefBuilder, { name, shape: [, height, width], mean, scale }: InputNode): void {
  to.placeholder("pictures", "DT_INT32", [height, width, 3]);
  to.add("Cast", "pictures.float", ["pictures"], { SrcT: dtype("DT_INT32"), DstT: dtype("DT_FLOAT") });
  to.add("Sub", "pictures.centred", ["pictures.float", to.floats("mean", [3], mean)]);
  to.add("Mul", name, ["pictures.centred", to.floats("scale", [], [scale])]);
}

function addConv(
  to: GraphDefBuilder,
  node: ConvNode,
  weights: Tensors,
  from: Shape,
  activation: ActivationNode | undefined,
): void {
  const { name, groups, inChannels, dilation, stride } = node;
  const depthwise = isDepthwise(node);
  if (groups > 1 && !depthwise)
    throw new Error(`${name}: TensorFlow.js has no convolution of ${inChannels} channels in ${groups} groups.`);
  const weight = weights.get(`${name}.weight`)!;
  const { shape, data } = depthwise ? depthwiseKernel(weight, groups) : kernel(weight);
  const filter = to.floats(`${name}.weight`, shape, data);
  const bias = to.floats(`${name}.bias`, [node.shape[0]], weights.get(`${name}.bias`)!.data);
  to.add(
    depthwise ? "FusedDepthwiseConv2dNative" : "_FusedConv2D",
    activation?.name ?? name,
    [node.input, filter, bias],
    {
      strides: ints([1, stride, stride, 1]),
      dilations: ints([1, dilation, dilation, 1]),
      data_format: text("NHWC"),
      num_args: { i: "1" },
      fused_ops: texts(["BiasAdd", ...(activation ? [OPERATIONS[activation.kind]] : [])]),
      ...paddingOf(node, from),
    },
  );
}

/** TensorFlow pools only with its own padding; for any other the map is padded first, with what never wins. */
function addMaxPool(to: GraphDefBuilder, node: MaxPoolNode, from: Shape): void {
  const { name, kernel: side, stride } = node;
  const window = { ksize: ints([1, side, side, 1]), strides: ints([1, stride, stride, 1]) };
  const { explicit_paddings: explicit, ...padding } = paddingOf(node, from);
  if (!explicit) return to.add("MaxPool", name, [node.input], { ...window, ...padding });
  const [top, left, bottom, right] = node.padding;
  const paddings = to.integers(`${name}.paddings`, [4, 2], [0, 0, top, bottom, left, right, 0, 0]);
  // Finite, for 0 * infinity is not a number.
  const least = to.floats(`${name}.least`, [], [-3e38]);
  to.add("PadV2", `${name}.padded`, [node.input, paddings, least], { Tpaddings: dtype("DT_INT32") });
  to.add("MaxPool", name, [`${name}.padded`], { ...window, padding: text("VALID") });
}

function paddingOf(node: ConvNode | MaxPoolNode, from: Shape): Attributes {
  const kind = paddingKind(node, from);
  if (kind !== "explicit") return { padding: text(kind.toUpperCase()) };
  const [top, left, bottom, right] = node.padding;
  return { padding: text("EXPLICIT"), explicit_paddings: ints([0, 0, top, bottom, left, right, 0, 0]) };
}

function addL2Norm(to: GraphDefBuilder, { name, input, shape: [channels] }: L2NormNode, weights: Tensors): void {
  const axis = to.integers(`${name}.axis`, [1], [3]);
  const scale = to.floats(`${name}.scale`, [channels], weights.get(`${name}.scale`)!.data);
  to.add("Square", `${name}.squares`, [input]);
  to.add("Sum", `${name}.sum`, [`${name}.squares`, axis], { keep_dims: flag(true), Tidx: dtype("DT_INT32") });
  to.add("Sqrt", `${name}.length`, [`${name}.sum`]);
  to.add("Maximum", `${name}.divisor`, [`${name}.length`, to.floats(`${name}.tiny`, [], [1e-12])]);
  to.add("RealDiv", `${name}.unit`, [input, `${name}.divisor`]);
  to.add("Mul", name, [`${name}.unit`, scale]);
}

function addRows(to: GraphDefBuilder, { name, inputs, columns }: RowsNode, sizeOf: (name: string) => Shape): void {
  const rows = inputs.map((input) => {
    const [channels, height, width] = sizeOf(input);
    const shape = to.integers(`${input}.shape`, [3], [-1, (channels / columns) * height * width, columns]);
    to.add("Reshape", `${input}.rows`, [input, shape], { Tshape: dtype("DT_INT32") });
    return `${input}.rows`;
  });
  const axis = to.integers(`${name}.axis`, [], [1]);
  to.add("ConcatV2", name, [...rows, axis], { N: { i: `${rows.length}` }, Tidx: dtype("DT_INT32") });
}
