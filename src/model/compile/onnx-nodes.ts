// One node of a graph -> the ONNX operations that compute it in float32.
import type { ConvNode, GraphNode, InputNode, L2NormNode, MaxPoolNode, RowsNode } from "../graph.ts";
import { attribute, type ConstantData, onnx, type OnnxNode, operation } from "./onnx-proto.ts";

/** What a model carries besides its operations, by name. Shapes are row-major; an empty one is a number. */
export type Constants = Map<string, { readonly shape: readonly number[]; readonly data: ConstantData }>;

/** The last operation has the node's name. What they need beside weights is added to the constants. */
export function nodeOperations(node: GraphNode, constants: Constants): OnnxNode[] {
  switch (node.kind) {
    case "input":
      return inputNodes(node, constants);
    case "conv":
      return [convOperation(node)];
    case "maxpool":
      return [maxPoolNode(node)];
    case "l2norm":
      return l2NormNodes(node, constants);
    case "relu":
      return [operation("Relu", [node.input], node.name)];
    case "sigmoid":
      return [operation("Sigmoid", [node.input], node.name)];
    case "softmax":
      return [operation("Softmax", [node.input], node.name, [attribute("axis", -1)])];
    case "relu6":
      constants.set("zero", { shape: [], data: Float32Array.of(0) });
      constants.set("six", { shape: [], data: Float32Array.of(6) });
      return [operation("Clip", [node.input, "zero", "six"], node.name)];
    case "add":
      return [operation("Add", node.inputs, node.name)];
    case "rows":
      return rowsOperations(node, constants);
  }
}

function inputNodes({ name, mean, scale }: InputNode, constants: Constants): OnnxNode[] {
  constants.set("mean", { shape: [1, 3, 1, 1], data: Float32Array.from(mean) });
  constants.set("scale", { shape: [], data: Float32Array.of(scale) });
  return [
    // Transposing the bytes is four times cheaper than transposing the floats.
    operation("Transpose", ["pictures"], "pictures.planar", [attribute("perm", [0, 3, 1, 2])]),
    operation("Cast", ["pictures.planar"], "pictures.float", [attribute("to", onnx.TensorProto.DataType.FLOAT)]),
    operation("Sub", ["pictures.float", "mean"], "pictures.centred"),
    operation("Mul", ["pictures.centred", "scale"], name),
  ];
}

/** Reads its weight and bias from what is named like the tensors with `suffix` behind. */
export function convOperation(node: ConvNode, suffix = ""): OnnxNode {
  const { name, input, kernel, stride, padding, groups, dilation } = node;
  return operation("Conv", [input, `${name}.weight${suffix}`, `${name}.bias${suffix}`], name, [
    attribute("kernel_shape", [kernel, kernel]),
    attribute("strides", [stride, stride]),
    attribute("pads", [...padding]),
    attribute("group", groups),
    attribute("dilations", [dilation, dilation]),
  ]);
}

function maxPoolNode({ name, input, kernel, stride, padding }: MaxPoolNode): OnnxNode {
  return operation("MaxPool", [input], name, [
    attribute("kernel_shape", [kernel, kernel]),
    attribute("strides", [stride, stride]),
    attribute("pads", [...padding]),
  ]);
}

function l2NormNodes({ name, input, shape: [channels] }: L2NormNode, constants: Constants): OnnxNode[] {
  constants.set("tiny", { shape: [], data: Float32Array.of(1e-12) });
  constants.set(`${name}.shape`, { shape: [4], data: BigInt64Array.of(1n, BigInt(channels), 1n, 1n) });
  return [
    operation("ReduceL2", [input], `${name}.length`, [attribute("axes", [1])]),
    operation("Max", [`${name}.length`, "tiny"], `${name}.divisor`),
    operation("Div", [input, `${name}.divisor`], `${name}.unit`),
    operation("Reshape", [`${name}.scale`, `${name}.shape`], `${name}.scales`),
    operation("Mul", [`${name}.unit`, `${name}.scales`], name),
  ];
}

/** Makes `NAME.last`, a map with its channels last. */
export type ChannelsLast = (name: string) => OnnxNode[];

export const transposed: ChannelsLast = (name) => [
  operation("Transpose", [name], `${name}.last`, [attribute("perm", [0, 2, 3, 1])]),
];

export function rowsOperations(
  { name, inputs, columns }: RowsNode,
  constants: Constants,
  channelsLast: ChannelsLast = transposed,
): OnnxNode[] {
  const shape = `${name}.shape`;
  constants.set(shape, { shape: [3], data: BigInt64Array.of(0n, -1n, BigInt(columns)) });
  const rows = inputs.flatMap((input) => [
    ...channelsLast(input),
    operation("Reshape", [`${input}.last`, shape], `${input}.rows`),
  ]);
  return [
    ...rows,
    operation(
      "Concat",
      inputs.map((input) => `${input}.rows`),
      name,
      [attribute("axis", 1)],
    ),
  ];
}
