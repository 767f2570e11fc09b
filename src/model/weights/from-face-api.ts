// Weights of face-api's SSD-MobileNetV1 for faces: TensorFlow's model, its names cut short, its numbers quantised.
import type { ConvNode, Graph } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";
import { type Conv, foldBatchNorm, orderBoxes, tfjsTensor, toConv } from "./tfjs-conv.ts";

/** The weights of each convolution of the graph, as `NAME.weight` [out, in / groups, height, width] and `NAME.bias`. */
export function faceFromTfjs(graph: Graph, tfjs: Tensors): Tensors {
  const weights = new Map<string, Tensor>();
  for (const node of graph.nodes) {
    if (node.kind !== "conv") continue;
    const { weight, bias } = readConv(node, (name) => tfjsTensor(tfjs, name, "face-api's SSD-MobileNetV1"));
    weights.set(`${node.name}.weight`, weight);
    weights.set(`${node.name}.bias`, bias);
  }
  return weights;
}

/** The batch norms of all but the depthwise convolutions were folded when the model was published. */
function readConv(node: ConvNode, take: (name: string) => Tensor): Conv {
  const scope = scopeOf(node.name);
  if (node.name.startsWith("head"))
    return orderBoxes(node, toConv(node, take(`${scope}/weights`), take(`${scope}/biases`).data));
  if (node.groups === 1) return toConv(node, take(`${scope}/weights`), take(`${scope}/convolution_bn_offset`).data);
  const { factor, bias } = foldBatchNorm((name) => take(`${scope}/BatchNorm/${name}`).data);
  return toConv(node, take(`${scope}/depthwise_weights`), bias, factor);
}

/** Its scope of a convolution that we name differently. */
function scopeOf(name: string): string {
  const [room, part, detail] = name.split(".") as [string, string, string?];
  if (room === "base") {
    if (part === "conv") return "MobilenetV1/Conv2d_0_pointwise";
    return `MobilenetV1/Conv2d_${Number(part.slice("block".length)) + 1}_${detail}`;
  }
  const index = Number(/\d+$/.exec(room)![0]);
  if (room.startsWith("extra")) return `Prediction/Conv2d_${index * 2 + (part === "reduce" ? 0 : 1)}_pointwise`;
  return `Prediction/BoxPredictor_${index}/${part === "offsets" ? "BoxEncodingPredictor" : "ClassPredictor"}`;
}
