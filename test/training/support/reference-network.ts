// A network computed node by node in float64, as plainly as it can be written, for gradients to be held against.
import type { ConvNode, Graph, GraphNode, MaxPoolNode, Shape } from "../../../src/model/graph.ts";

/** Weights by name. */
export type Weights = ReadonlyMap<string, { readonly data: Float64Array }>;
export interface Answers {
  readonly offsets: Float64Array;
  readonly logits: Float64Array;
}

/** The answers for one picture, uint8 RGB. */
export function referenceForward(graph: Graph, weights: Weights, picture: Uint8Array): Answers {
  const shapes = new Map(graph.nodes.map((node) => [node.name, node.shape]));
  const values = new Map<string, Float64Array>();
  for (const node of graph.nodes) {
    const inputs = "inputs" in node ? node.inputs : "input" in node ? [node.input] : [];
    const read = inputs.map((name) => ({ shape: shapes.get(name)!, data: values.get(name)! }));
    values.set(node.name, compute(node, read, weights, picture));
  }
  return { offsets: values.get(graph.offsets)!, logits: values.get(graph.logits)! };
}

interface Map3 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

function compute(node: GraphNode, inputs: readonly Map3[], weights: Weights, picture: Uint8Array): Float64Array {
  const [x] = inputs as [Map3];
  switch (node.kind) {
    case "input": {
      const pixels = node.shape[1] * node.shape[2];
      return Float64Array.from({ length: pixels * 3 }, (_, i) => {
        const channel = Math.floor(i / pixels);
        return (picture[(i % pixels) * 3 + channel]! - node.mean[channel]!) * node.scale;
      });
    }
    case "conv":
      return convolve(node, x, weights);
    case "maxpool":
      return pool(node, x);
    case "l2norm":
      return normalise(x, weights.get(`${node.name}.scale`)!.data);
    case "relu":
      return x.data.map((value) => Math.max(value, 0));
    case "relu6":
      return x.data.map((value) => Math.min(Math.max(value, 0), 6));
    case "sigmoid":
      return x.data.map((value) => 1 / (1 + Math.exp(-value)));
    case "softmax":
      return softmax(x.data, node.shape[2]);
    case "add":
      return x.data.map((value, i) => value + inputs[1]!.data[i]!);
    case "rows":
      return Float64Array.from(inputs.flatMap((map) => [...channelsLast(map)]));
  }
}

function convolve(node: ConvNode, { shape: [, height, width], data }: Map3, weights: Weights): Float64Array {
  const { shape, inChannels, groups, kernel, stride, dilation, padding } = node;
  const [channels, rows, columns] = shape;
  const weight = weights.get(`${node.name}.weight`)!.data;
  const bias = weights.get(`${node.name}.bias`)!.data;
  const [ins, outs] = [inChannels / groups, channels / groups];
  const out = new Float64Array(channels * rows * columns);
  for (let o = 0, at = 0; o < channels; o++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) {
        let sum = bias[o]!;
        for (let i = 0; i < ins; i++) {
          const plane = (Math.floor(o / outs) * ins + i) * height * width;
          for (let ky = 0; ky < kernel; ky++) {
            const y = row * stride + ky * dilation - padding[0];
            if (y < 0 || y >= height) continue;
            for (let kx = 0; kx < kernel; kx++) {
              const x = column * stride + kx * dilation - padding[1];
              if (x < 0 || x >= width) continue;
              sum += weight[((o * ins + i) * kernel + ky) * kernel + kx]! * data[plane + y * width + x]!;
            }
          }
        }
        out[at] = sum;
      }
    }
  }
  return out;
}

function pool({ shape, kernel, stride, padding }: MaxPoolNode, { shape: [, height, width], data }: Map3): Float64Array {
  const [channels, rows, columns] = shape;
  const out = new Float64Array(channels * rows * columns).fill(-Infinity);
  for (let at = 0; at < out.length; at++) {
    const [channel, row, column] = [
      Math.floor(at / (rows * columns)),
      Math.floor(at / columns) % rows,
      at % columns,
    ] as const;
    for (let ky = 0; ky < kernel; ky++) {
      const y = row * stride + ky - padding[0];
      if (y < 0 || y >= height) continue;
      for (let kx = 0; kx < kernel; kx++) {
        const x = column * stride + kx - padding[1];
        if (x >= 0 && x < width) out[at] = Math.max(out[at]!, data[(channel * height + y) * width + x]!);
      }
    }
  }
  return out;
}

function normalise({ shape: [channels, height, width], data }: Map3, scale: Float64Array): Float64Array {
  const pixels = height * width;
  return data.map((value, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[c * pixels + (i % pixels)]! ** 2;
    return (value / Math.max(Math.sqrt(sum), 1e-12)) * scale[Math.floor(i / pixels)]!;
  });
}

function softmax(data: Float64Array, columns: number): Float64Array {
  return data.map((value, i) => {
    const row = data.subarray(i - (i % columns), i - (i % columns) + columns);
    return Math.exp(value) / row.reduce((sum, other) => sum + Math.exp(other), 0);
  });
}

function channelsLast({ shape: [channels, height, width], data }: Map3): Float64Array {
  const pixels = height * width;
  return data.map((_, i) => data[(i % channels) * pixels + Math.floor(i / channels)]!);
}
