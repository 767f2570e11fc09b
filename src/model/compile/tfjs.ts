// A graph and its weights -> a function on the tensors of TensorFlow.js, whatever backend it has.
import type * as Tf from "@tensorflow/tfjs-core";
import {
  type ConvNode,
  type Graph,
  type GraphNode,
  inputsOf,
  type L2NormNode,
  type MaxPoolNode,
  type RowsNode,
} from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { depthwiseKernel, kernel } from "./tfjs-kernels.ts";
import { isDepthwise, paddingKind, soleActivations } from "./windows.ts";

/** TensorFlow.js as a value, because there may be more than one copy of it in a process. */
export type Tfjs = typeof Tf;

/** Its tensors live on the backend that was set when it was compiled, and so must be each run. */
export interface TfjsNetwork {
  /** Pictures: float32 [batch, height, width, 3] of 0..255. Answers with offsets [batch, boxes, 4] and logits [batch, boxes, classes]. */
  run(pictures: Tf.Tensor4D): { readonly offsets: Tf.Tensor3D; readonly logits: Tf.Tensor3D };
  dispose(): void;
}

/**
 * Feature maps are batch x height x width x channels here, the only order that all backends have; the weights are laid out for it
 * once. A feature map is disposed of after its last reader: a picture's would come to 200 MB for VGG16 otherwise.
 */
export function compileTfjs(tf: Tfjs, graph: Graph, weights: Tensors): TfjsNetwork {
  const tensors = weightTensors(tf, graph, weights);
  const steps = fuse(graph);
  const lastReader = new Map(steps.flatMap((step, i) => step.reads.map((name) => [name, i] as const)));
  return {
    run: (pictures) =>
      tf.tidy(() => {
        const values = new Map<string, Tf.Tensor>();
        for (const [i, { node, name, activation, reads }] of steps.entries()) {
          const inputs = reads.map((input) => values.get(input)!);
          values.set(name, compute(tf, node, inputs.length === 0 ? [pictures] : inputs, tensors, activation));
          for (const read of reads.filter((input) => lastReader.get(input) === i)) values.get(read)!.dispose();
        }
        return { offsets: values.get(graph.offsets)! as Tf.Tensor3D, logits: values.get(graph.logits)! as Tf.Tensor3D };
      }),
    dispose: () => tf.dispose([...tensors.values()]),
  };
}

type Activation = "linear" | "relu" | "relu6";

/** A node, or a convolution and the activation that alone reads it; `name` is of what comes out, `reads` of what goes in. */
interface Step {
  readonly node: GraphNode;
  readonly name: string;
  readonly activation: Activation;
  readonly reads: readonly string[];
}

function fuse(graph: Graph): Step[] {
  const fused = soleActivations(graph);
  const gone = new Set([...fused.values()].map(({ name }) => name));
  return graph.nodes
    .filter(({ name }) => !gone.has(name))
    .map((node) => {
      const { name, kind } = fused.get(node.name) ?? { name: node.name, kind: "linear" };
      return { node, name, activation: kind as Activation, reads: inputsOf(node) };
    });
}

/** Each weight on the backend, kernels in the order of axes that it wants. */
function weightTensors(tf: Tfjs, graph: Graph, weights: Tensors): Map<string, Tf.Tensor> {
  const tensors = new Map<string, Tf.Tensor>();
  for (const node of graph.nodes) {
    if (node.kind === "l2norm") tensors.set(`${node.name}.scale`, tf.tensor1d(weights.get(`${node.name}.scale`)!.data));
    if (node.kind !== "conv") continue;
    const weight = weights.get(`${node.name}.weight`)!;
    const { shape, data } = isDepthwise(node) ? depthwiseKernel(weight, node.groups) : kernel(weight);
    tensors.set(`${node.name}.weight`, tf.tensor4d(data, shape as [number, number, number, number]));
    tensors.set(`${node.name}.bias`, tf.tensor1d(weights.get(`${node.name}.bias`)!.data));
  }
  return tensors;
}

function compute(
  tf: Tfjs,
  node: GraphNode,
  inputs: readonly Tf.Tensor[],
  weights: ReadonlyMap<string, Tf.Tensor>,
  activation: Activation,
): Tf.Tensor {
  const x = inputs[0]! as Tf.Tensor4D;
  switch (node.kind) {
    case "input":
      return tf.mul(tf.sub(x, tf.tensor1d([...node.mean])), node.scale);
    case "conv":
      return convolve(tf, node, x, weights, activation);
    case "maxpool":
      return maxPool(tf, node, x);
    case "l2norm":
      return l2Normalise(tf, node, x, weights);
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "softmax":
      return tf.softmax(x, -1);
    case "add":
      return tf.add(x, inputs[1]!);
    case "rows":
      return layOut(tf, node, inputs);
  }
}

function convolve(
  tf: Tfjs,
  node: ConvNode,
  input: Tf.Tensor4D,
  weights: ReadonlyMap<string, Tf.Tensor>,
  activation: Activation,
): Tf.Tensor {
  const filter = weights.get(`${node.name}.weight`)! as Tf.Tensor4D;
  const bias = weights.get(`${node.name}.bias`)! as Tf.Tensor1D;
  const [x, pad] = fit(tf, input, node, 0);
  const options = { strides: node.stride, dilations: node.dilation, pad, activation };
  if (isDepthwise(node)) return tf.fused.depthwiseConv2d({ x, filter, bias, ...options });
  if (node.groups === 1) return tf.fused.conv2d({ x, filter, bias, ...options });
  const filters = tf.split<Tf.Tensor4D>(filter, node.groups, 3);
  const biases = tf.split(bias, node.groups);
  const parts = tf
    .split<Tf.Tensor4D>(x, node.groups, 3)
    .map((part, i) => tf.fused.conv2d({ x: part, filter: filters[i]!, bias: biases[i]!, ...options }));
  return tf.concat(parts, 3);
}

function maxPool(tf: Tfjs, node: MaxPoolNode, input: Tf.Tensor4D): Tf.Tensor {
  // Less than anything that a network computes, and finite, because 0 * infinity is not a number.
  const [x, pad] = fit(tf, input, node, -3e38);
  return tf.maxPool(x, node.kernel, node.stride, pad);
}

/** TensorFlow pads by itself only as its `same` says; for other padding the input is padded first. */
function fit(tf: Tfjs, x: Tf.Tensor4D, node: ConvNode | MaxPoolNode, fill: number): [Tf.Tensor4D, "valid" | "same"] {
  const [, height, width, channels] = x.shape;
  const kind = paddingKind(node, [channels, height, width]);
  if (kind !== "explicit") return [x, kind];
  const [top, left, bottom, right] = node.padding;
  return [
    tf.pad4d(
      x,
      [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      fill,
    ),
    "valid",
  ];
}

function l2Normalise(
  tf: Tfjs,
  { name }: L2NormNode,
  x: Tf.Tensor4D,
  weights: ReadonlyMap<string, Tf.Tensor>,
): Tf.Tensor {
  return tf.tidy(() => {
    const length = tf.maximum(tf.sqrt(tf.sum(tf.square(x), 3, true)), 1e-12);
    return tf.mul(tf.div(x, length), weights.get(`${name}.scale`)!);
  });
}

function layOut(tf: Tfjs, { columns }: RowsNode, maps: readonly Tf.Tensor[]): Tf.Tensor {
  const rows = maps.map((map) => tf.reshape(map, [map.shape[0], -1, columns]));
  return rows.length === 1 ? rows[0]! : tf.concat(rows, 1);
}
