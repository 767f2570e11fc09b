// A convolution's weights as TensorFlow has them, made ours: another layout, batch norm folded in, boxes in another order.
import { MultiboxError } from "../../errors.ts";
import type { ConvNode } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";

export interface Conv {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** The tensor of a name. Fails with WEIGHTS_MISSING: the model is not `model`, "an SSDLite" for example. */
export function tfjsTensor(tfjs: Tensors, name: string, model: string): Tensor {
  const tensor = tfjs.get(name);
  if (tensor) return tensor;
  throw new MultiboxError("WEIGHTS_MISSING", `The tfjs model has no tensor ${name}.`, `It is not ${model}.`);
}

/** What a batch norm multiplies and adds, from its `gamma`, `beta`, `moving_mean` and `moving_variance`. */
export function foldBatchNorm(take: (name: string) => Float32Array): { factor: Float32Array; bias: Float32Array } {
  const [gamma, beta] = [take("gamma"), take("beta")];
  const [mean, variance] = [take("moving_mean"), take("moving_variance")];
  const factor = gamma.map((value, i) => value / Math.sqrt(variance[i]! + BATCH_NORM_EPSILON));
  return { factor, bias: beta.map((value, i) => value - mean[i]! * factor[i]!) };
}

/** Height x width x in x out (depthwise: height x width x channels x 1) -> out x in x height x width, each output times `factor`. */
export function toConv(node: ConvNode, { shape, data }: Tensor, bias: Float32Array, factor?: Float32Array): Conv {
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
export function orderBoxes(node: ConvNode, { weight, bias }: Conv): Conv {
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

// The `epsilon` attribute of the FusedBatchNorm nodes of TensorFlow's detectors.
const BATCH_NORM_EPSILON = 0.001;
