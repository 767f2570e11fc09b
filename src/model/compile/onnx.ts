// A graph and its weights -> the bytes of an ONNX model: uint8 pictures in, offsets and logits out.
import {
  type ConvNode,
  type Graph,
  type GraphNode,
  type InputNode,
  type L2NormNode,
  type MaxPoolNode,
  outputShapes,
  type RowsNode,
  weightShapes,
} from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { attribute, onnx, type OnnxModel, type OnnxNode, operation, tensorInfo } from "./onnx-proto.ts";

// Clip takes its limits as inputs since 11; nothing here is newer, and OpenCV and old runtimes still read it.
const OPSET = 13;
const IR_VERSION = 7;

/**
 * Input `pictures`: uint8 [batch, height, width, 3]. Outputs `offsets`: float32 [batch, boxes, 4] and `logits`: float32
 * [batch, boxes, classes]. The batch is free. Normalisation is inside, so that a quarter of the bytes go in.
 */
export function compileOnnx(graph: Graph, weights: Tensors): Uint8Array {
  return onnx.ModelProto.encode(onnxModel(graph, weights)).finish();
}

/** The model of `compileOnnx`, to add to. */
export function onnxModel(graph: Graph, weights: Tensors): OnnxModel {
  const constants = new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>();
  const nodes = graph.nodes.flatMap((node) => toOnnx(node, constants));
  for (const name of weightShapes(graph).keys()) constants.set(name, weights.get(name)!);
  const input = graph.nodes[0] as InputNode;
  const shapes = outputShapes(graph);
  return onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: "multibox",
    opsetImport: [{ domain: "", version: OPSET }],
    graph: {
      name: graph.name,
      node: nodes,
      initializer: [...constants].map(([name, { shape, data }]) => ({
        name,
        dims: [...shape],
        dataType: data instanceof Float32Array ? onnx.TensorProto.DataType.FLOAT : onnx.TensorProto.DataType.INT64,
        rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
      input: [tensorInfo("pictures", onnx.TensorProto.DataType.UINT8, [input.shape[1], input.shape[2], 3])],
      output: [
        tensorInfo(graph.offsets, onnx.TensorProto.DataType.FLOAT, shapes.offsets.slice(1)),
        tensorInfo(graph.logits, onnx.TensorProto.DataType.FLOAT, shapes.logits.slice(1)),
      ],
    },
  });
}

type Constants = Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>;

function toOnnx(node: GraphNode, constants: Constants): OnnxNode[] {
  switch (node.kind) {
    case "input":
      return inputNodes(node, constants);
    case "conv":
      return [convNode(node)];
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
      return rowsNodes(node, constants);
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

function convNode({ name, input, kernel, stride, padding, groups, dilation }: ConvNode): OnnxNode {
  return operation("Conv", [input, `${name}.weight`, `${name}.bias`], name, [
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

function rowsNodes({ name, inputs, columns }: RowsNode, constants: Constants): OnnxNode[] {
  const shape = `${name}.shape`;
  constants.set(shape, { shape: [3], data: BigInt64Array.of(0n, -1n, BigInt(columns)) });
  const rows = inputs.flatMap((input) => [
    operation("Transpose", [input], `${input}.last`, [attribute("perm", [0, 2, 3, 1])]),
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
