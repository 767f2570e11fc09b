// Weights of TensorFlow's SSDLite-MobileNetV2 from a tfjs graph model: found by name.
import type { ConvNode, Graph } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";
import { type Conv, foldBatchNorm, orderBoxes, tfjsTensor, toConv } from "./tfjs-conv.ts";

/** The weights of each convolution of the graph, as `NAME.weight` [out, in / groups, height, width] and `NAME.bias`. */
export function ssdliteFromTfjs(graph: Graph, tfjs: Tensors): Tensors {
  const weights = new Map<string, Tensor>();
  for (const node of graph.nodes) {
    if (node.kind !== "conv") continue;
    const { weight, bias } = readConv(node, tfjs);
    weights.set(`${node.name}.weight`, weight);
    weights.set(`${node.name}.bias`, bias);
  }
  return weights;
}

function readConv(node: ConvNode, tfjs: Tensors): Conv {
  const take = (name: string): Tensor => tfjsTensor(tfjs, name, "an SSDLite-MobileNetV2");
  const scope = scopeOf(node.name, node.shape[0]);
  if (scope.startsWith("BoxPredictor_")) {
    if (node.groups === 1)
      return orderBoxes(node, toConv(node, take(`${scope}/weights`), take(`${scope}/biases`).data));
    const { bias, factor } = foldBatchNorm((name) => take(`${scope}/BatchNorm/${name}`).data);
    return toConv(node, take(`${scope}/depthwise_weights`), bias, factor);
  }
  const bias = take(`${scope}/BatchNorm/batchnorm/sub`).data;
  if (node.groups === 1) return toConv(node, take(`${scope}/Conv2D/merged_input`), bias);
  return toConv(node, take(`${scope}/depthwise_weights`), bias, take(`${scope}/BatchNorm/batchnorm/mul`).data);
}

/** TensorFlow's scope of a convolution that we name differently. */
function scopeOf(name: string, channels: number): string {
  const features = "FeatureExtractor/MobilenetV2";
  const [room, part, detail] = name.split(".") as [string, string, string?];
  if (room === "base") {
    if (part === "conv") return `${features}/Conv`;
    if (part === "last") return `${features}/Conv_1`;
    const block = part.slice("block".length);
    return `${features}/expanded_conv${block === "0" ? "" : `_${block}`}/${detail}`;
  }
  const index = Number(/\d+$/.exec(room)![0]);
  if (room.startsWith("extra")) {
    // Their names hold the channels of the wide layer, which is twice (once four times) the narrow one's.
    if (part === "reduce") return `${features}/layer_19_1_Conv2d_${index + 2}_1x1_${channels}`;
    const wide = part === "depthwise" ? channels * 2 : channels;
    return `${features}/layer_19_2_Conv2d_${index + 2}_3x3_s2_${wide}${part === "depthwise" ? "_depthwise" : ""}`;
  }
  const predictor = part === "offsets" ? "BoxEncodingPredictor" : "ClassPredictor";
  return `BoxPredictor_${index}/${predictor}${detail === "depthwise" ? "_depthwise" : ""}`;
}
