// Weights of TensorFlow's SSDLite-MobileNetV2 from a tfjs graph model: found by name, batch norm folded, layout made ours.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import type { ConvNode, Graph } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";

const Manifest = z.object({
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(z.object({ name: z.string(), shape: z.array(z.int()), dtype: z.string() })),
    }),
  ),
});

/** All float32 tensors of a tfjs model in a folder with `model.json` and its shards, by TensorFlow's names. */
export async function readTfjsTensors(folder: string): Promise<Tensors> {
  const manifest = Manifest.parse(JSON.parse(await readFile(join(folder, "model.json"), "utf8")));
  const tensors = new Map<string, Tensor>();
  for (const { paths, weights } of manifest.weightsManifest) {
    const data = Buffer.concat(await Promise.all(paths.map((path) => readFile(join(folder, path)))));
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      // Both types of such a model, float32 and int32, have four bytes.
      const bytes = shape.reduce((product, size) => product * size, 4);
      if (dtype === "float32")
        tensors.set(name, { shape, data: new Float32Array(Uint8Array.from(data.subarray(at, at + bytes)).buffer) });
      at += bytes;
    }
  }
  return tensors;
}

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

interface Conv {
  weight: Tensor;
  bias: Tensor;
}

function readConv(node: ConvNode, tfjs: Tensors): Conv {
  const take = (name: string): Tensor => {
    const tensor = tfjs.get(name);
    if (!tensor)
      throw new MultiboxError(
        "WEIGHTS_MISSING",
        `The tfjs model has no tensor ${name}.`,
        "It is not an SSDLite-MobileNetV2.",
      );
    return tensor;
  };
  const scope = scopeOf(node.name, node.shape[0]);
  if (scope.startsWith("BoxPredictor_")) {
    if (node.groups === 1)
      return orderBoxes(node, toConv(node, take(`${scope}/weights`), take(`${scope}/biases`).data));
    const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map(
      (name) => take(`${scope}/BatchNorm/${name}`).data,
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const factor = gamma.map((value, i) => value / Math.sqrt(variance[i]! + BATCH_NORM_EPSILON));
    const bias = beta.map((value, i) => value - mean[i]! * factor[i]!);
    return toConv(node, take(`${scope}/depthwise_weights`), bias, factor);
  }
  const bias = take(`${scope}/BatchNorm/batchnorm/sub`).data;
  if (node.groups === 1) return toConv(node, take(`${scope}/Conv2D/merged_input`), bias);
  return toConv(node, take(`${scope}/depthwise_weights`), bias, take(`${scope}/BatchNorm/batchnorm/mul`).data);
}

// The `epsilon` attribute of the model's FusedBatchNorm nodes.
const BATCH_NORM_EPSILON = 0.001;

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

/** Height x width x in x out (depthwise: height x width x channels x 1) -> out x in x height x width, each output times `factor`. */
function toConv(node: ConvNode, { shape, data }: Tensor, bias: Float32Array, factor?: Float32Array): Conv {
  const [height, width, third, fourth] = shape as [number, number, number, number];
  const [outs, ins] = node.groups === 1 ? [fourth, third] : [third, fourth];
  const weight = new Float32Array(data.length);
  for (let out = 0; out < outs; out++) {
    for (let channel = 0; channel < ins; channel++) {
      for (let i = 0; i < height * width; i++) {
        const from = node.groups === 1 ? (i * third + channel) * fourth + out : (i * third + out) * fourth + channel;
        weight[(out * ins + channel) * height * width + i] = data[from]! * (factor?.[out] ?? 1);
      }
    }
  }
  return { weight: { shape: [outs, ins, height, width], data: weight }, bias: { shape: [outs], data: bias } };
}

/** TensorFlow predicts y, x, height, width; everything else in the house says x, y, width, height. */
function orderBoxes(node: ConvNode, { weight, bias }: Conv): Conv {
  if (!node.name.includes("offsets")) return { weight, bias };
  const order = [1, 0, 3, 2];
  const size = weight.data.length / bias.data.length;
  const from = (out: number): number => out - (out % 4) + order[out % 4]!;
  return {
    weight: {
      shape: weight.shape,
      data: weight.data.map((_, i) => weight.data[from(Math.floor(i / size)) * size + (i % size)]!),
    },
    bias: { shape: bias.shape, data: bias.data.map((_, out) => bias.data[from(out)]!) },
  };
}
