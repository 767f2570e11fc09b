// A network of TensorFlow.js operations that all have gradients, on weights in the house's own order of axes.
import type * as Tf from "@tensorflow/tfjs-core";
import type { Tfjs } from "../../model/compile/tfjs.ts";
import { isDepthwise, paddingKind } from "../../model/compile/windows.ts";
import { type ConvNode, type Graph, type GraphNode, inputsOf, type MaxPoolNode } from "../../model/graph.ts";

type Weights = ReadonlyMap<string, Tf.Tensor>;

/**
 * The answers of the nodes of a graph, given those of some of them (pictures are the answer of nothing: float32 of 0..255 under the
 * name `pictures`). Maps are batch x height x width x channels. Where `native`, convolutions are the backend's own; else each is made of
 * products of matrices, whose gradients every backend has. Dilated ones always are, which TensorFlow.js has no gradient for, and those
 * of 1 x 1, whose gradients towards their input are wrong on maps of a few pixels in TensorFlow 2.21 for the CPU.
 */
export function trainableNetwork(
  tf: Tfjs,
  graph: Graph,
  weights: Weights,
  given: ReadonlyMap<string, Tf.Tensor>,
  native: boolean,
): { readonly offsets: Tf.Tensor3D; readonly logits: Tf.Tensor3D } {
  const values = new Map(given);
  const computed = neededNodes(graph, given);
  for (const node of graph.nodes) {
    if (!computed.has(node.name)) continue;
    const inputs = node.kind === "input" ? [given.get("pictures")!] : inputsOf(node).map((name) => values.get(name)!);
    values.set(node.name, compute(tf, node, inputs, weights, native));
  }
  return { offsets: values.get(graph.offsets) as Tf.Tensor3D, logits: values.get(graph.logits) as Tf.Tensor3D };
}

/** What the answers need and is not given. */
function neededNodes(graph: Graph, given: ReadonlyMap<string, unknown>): Set<string> {
  const needed = new Set([graph.offsets, graph.logits]);
  for (const node of graph.nodes.toReversed()) {
    if (given.has(node.name)) needed.delete(node.name);
    else if (needed.has(node.name)) for (const input of inputsOf(node)) needed.add(input);
  }
  return needed;
}

function compute(
  tf: Tfjs,
  node: GraphNode,
  inputs: readonly Tf.Tensor[],
  weights: Weights,
  native: boolean,
): Tf.Tensor {
  const x = inputs[0]! as Tf.Tensor4D;
  switch (node.kind) {
    case "input":
      return tf.mul(tf.sub(x, tf.tensor1d([...node.mean])), node.scale);
    case "conv": {
      const made = convolve(tf, node, x, weights.get(`${node.name}.weight`) as Tf.Tensor4D, native);
      return tf.add(made, weights.get(`${node.name}.bias`)!);
    }
    case "maxpool": {
      const [padded, pad] = fit(tf, x, node, -3e38);
      return tf.maxPool(padded, node.kernel, node.stride, pad);
    }
    case "l2norm": {
      // The limit comes before the root, whose gradient at 0 is infinite.
      const length = tf.sqrt(tf.maximum(tf.sum(tf.square(x), 3, true), 1e-24));
      return tf.mul(tf.div(x, length), weights.get(`${node.name}.scale`)!);
    }
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
    case "rows": {
      const rows = inputs.map((map) => tf.reshape(map, [map.shape[0], -1, node.columns]));
      return rows.length === 1 ? rows[0]! : tf.concat(rows, 1);
    }
  }
}

/** `weight` is [out, in / groups, kernel, kernel]. */
function convolve(tf: Tfjs, node: ConvNode, x: Tf.Tensor4D, weight: Tf.Tensor4D, native: boolean): Tf.Tensor {
  const { kernel, stride, groups, inChannels, shape } = node;
  const depthwise = isDepthwise(node);
  if (groups > 1 && !depthwise) {
    const parts = tf.split<Tf.Tensor4D>(x, groups, 3);
    const [ins, outs] = [inChannels / groups, shape[0] / groups];
    const part: ConvNode = { ...node, groups: 1, inChannels: ins, shape: [outs, shape[1], shape[2]] };
    return tf.concat(
      tf.split<Tf.Tensor4D>(weight, groups, 0).map((own, i) => convolve(tf, part, parts[i]!, own, native)),
      3,
    );
  }
  if (!native || kernel === 1 || node.dilation > 1) return composed(tf, node, x, weight);
  const [padded, pad] = fit(tf, x, node, 0);
  if (depthwise) {
    const filter = tf.reshape(tf.transpose(weight, [2, 3, 0, 1]), [kernel, kernel, groups, shape[0] / groups]);
    return tf.depthwiseConv2d(padded, filter as Tf.Tensor4D, stride, pad);
  }
  return tf.conv2d(padded, tf.transpose(weight, [2, 3, 1, 0]), stride, pad);
}

/** A sum over the kernel's pixels: of the input shifted to each, times the weights there. */
function composed(tf: Tfjs, node: ConvNode, x: Tf.Tensor4D, weight: Tf.Tensor4D): Tf.Tensor {
  const { kernel, dilation, shape, groups, inChannels } = node;
  const padded = padEnough(tf, node, x);
  const [channels, rows, columns] = shape;
  const batch = x.shape[0];
  let sum: Tf.Tensor | undefined;
  for (let ky = 0; ky < kernel; ky++) {
    for (let kx = 0; kx < kernel; kx++) {
      const shifted = pick(tf, node, padded, ky * dilation, kx * dilation);
      const own = tf.slice(weight, [0, 0, ky, kx], [channels, inChannels / groups, 1, 1]);
      let part: Tf.Tensor;
      if (groups === 1) {
        const flat = tf.reshape(shifted, [batch * rows * columns, inChannels]);
        const product = tf.matMul(flat, tf.reshape(own, [channels, inChannels]), false, true);
        part = tf.reshape(product, [batch, rows, columns, channels]);
      } else {
        const spread = tf.reshape(shifted, [batch, rows, columns, groups, 1]);
        part = tf.reshape(tf.mul(spread, tf.reshape(own, [groups, channels / groups])), [
          batch,
          rows,
          columns,
          channels,
        ]);
      }
      sum = sum ? tf.add(sum, part) : part;
    }
  }
  return sum!;
}

/** With the node's padding, and at the end what fills whole strides up: they are picked by their place in a stride. */
function padEnough(tf: Tfjs, { kernel, dilation, stride, padding, shape }: ConvNode, x: Tf.Tensor4D): Tf.Tensor4D {
  const reach = (kernel - 1) * dilation;
  const wanted = (windows: number): number => (windows + Math.ceil(reach / stride)) * stride;
  const [top, left] = padding;
  const end = (windows: number, size: number, before: number): number => Math.max(0, wanted(windows) - before - size);
  return tf.pad4d(x, [
    [0, 0],
    [top, end(shape[1], x.shape[1], top)],
    [left, end(shape[2], x.shape[2], left)],
    [0, 0],
  ]);
}

/** Every so many-th pixel from (y, x) on, one for each window; a strided slice has no gradient. */
function pick(tf: Tfjs, { stride, shape }: ConvNode, padded: Tf.Tensor4D, y: number, x: number): Tf.Tensor {
  const [, rows, columns] = shape;
  const [batch, , , channels] = padded.shape;
  if (stride === 1) return tf.slice(padded, [0, y, x, 0], [batch, rows, columns, channels]);
  const [fromY, fromX] = [y - (y % stride), x - (x % stride)];
  const whole = tf.slice(padded, [0, fromY, fromX, 0], [batch, rows * stride, columns * stride, channels]);
  const strides = tf.reshape(whole, [batch, rows, stride, columns, stride * channels]);
  const row = tf.slice(strides, [0, 0, y % stride, 0, 0], [batch, rows, 1, columns, stride * channels]);
  const pairs = tf.reshape(row, [batch, rows, columns, stride, channels]);
  return tf.slice(pairs, [0, 0, 0, x % stride, 0], [batch, rows, columns, 1, channels]);
}

/** TensorFlow pads by itself only as its `same` says. */
function fit(tf: Tfjs, x: Tf.Tensor4D, node: ConvNode | MaxPoolNode, fill: number): [Tf.Tensor4D, "valid" | "same"] {
  const [, height, width, channels] = x.shape;
  const kind = paddingKind(node, [channels, height, width]);
  if (kind !== "explicit") return [x, kind];
  const [top, left, bottom, right] = node.padding;
  const sides: [number, number][] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  return [tf.pad(x, sides, fill), "valid"];
}
