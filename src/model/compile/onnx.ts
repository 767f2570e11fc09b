// A graph and its weights -> the bytes of an ONNX model: uint8 pictures in, offsets and logits out.
import type { Floor, Ranges } from "../engines/engine.ts";
import { type Graph, inputShape, outputShapes, weightShapes } from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { int8Operations } from "./onnx-int8.ts";
import { addSelection } from "./onnx-kept.ts";
import { type Constants, nodeOperations } from "./onnx-nodes.ts";
import { initializer, MICROSOFT, onnx, type OnnxModel, tensorInfo } from "./onnx-proto.ts";

// Clip takes its limits as inputs since 11 and weights have a scale a channel since 13; nothing here is newer, and OpenCV
// and old runtimes still read it.
const OPSET = 13;
const IR_VERSION = 7;

/**
 * Input `pictures`: uint8 [batch, height, width, 3]. Outputs `offsets`: float32 [batch, boxes, 4] and `logits`: float32
 * [batch, boxes, classes]. The batch is free. Normalisation is inside, so that a quarter of the bytes go in. With the ranges
 * of its nodes the model computes in int8; fails with PRECISION_UNAVAILABLE where one of them is missing. With a floor it answers only
 * what reaches it: see `addSelection`.
 */
export function compileOnnx(graph: Graph, weights: Tensors, ranges?: Ranges, floor?: Floor): Uint8Array {
  const model = onnxModel(graph, weights, ranges);
  if (floor) addSelection(model, graph, floor);
  return onnx.ModelProto.encode(model).finish();
}

/** The model of `compileOnnx`, to add to. */
export function onnxModel(graph: Graph, weights: Tensors, ranges?: Ranges): OnnxModel {
  const constants: Constants = new Map();
  const nodes = ranges
    ? int8Operations(graph, weights, ranges, constants)
    : graph.nodes.flatMap((node) => nodeOperations(node, constants));
  // What int8 has quantised is not read any more.
  const read = new Set(nodes.flatMap(({ input }) => input ?? []));
  for (const name of weightShapes(graph).keys()) if (read.has(name)) constants.set(name, weights.get(name)!);
  const [, height, width] = inputShape(graph);
  const shapes = outputShapes(graph);
  return onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: "multibox",
    opsetImport: [{ domain: "", version: OPSET }, ...(ranges ? [{ domain: MICROSOFT, version: 1 }] : [])],
    graph: {
      name: graph.name,
      node: nodes,
      initializer: [...constants].map(([name, { shape, data }]) => initializer(name, shape, data)),
      input: [tensorInfo("pictures", onnx.TensorProto.DataType.UINT8, [height, width, 3])],
      output: [
        tensorInfo(graph.offsets, onnx.TensorProto.DataType.FLOAT, shapes.offsets.slice(1)),
        tensorInfo(graph.logits, onnx.TensorProto.DataType.FLOAT, shapes.logits.slice(1)),
      ],
    },
  });
}
