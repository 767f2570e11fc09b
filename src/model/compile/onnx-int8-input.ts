// Pictures on their way into int8 models: their bytes are integers already.
import { type ConvNode, type Graph, inputsOf, type InputNode } from "../graph.ts";
import type { Tensor } from "../weights/safetensors.ts";
import type { Int8Plan } from "./int8-plan.ts";
import { affineConstants, dequantized } from "./onnx-int8-parts.ts";
import type { Constants } from "./onnx-nodes.ts";
import { attribute, type OnnxNode, operation } from "./onnx-proto.ts";
import type { Affine } from "./quantize.ts";

/** What (byte - mean) * scale may be. */
export function inputRange({ mean, scale }: InputNode): readonly [number, number] {
  const limits = mean.flatMap((value) => [-value * scale, (255 - value) * scale]);
  return [Math.min(...limits), Math.max(...limits)];
}

export interface InputBytes {
  readonly affine: Affine;
  /** In real units, what (byte - mean) * scale is above (byte - zero point) * scale. */
  readonly shift: number;
  /** Squares of 2 x 2 pixels are read as one pixel of 12 channels, by the convolution of `inBlocks`. */
  readonly blocks: boolean;
  readonly operations: (constants: Constants) => OnnxNode[];
}

/**
 * The pictures' bytes are integers already where all channels have the same mean: what a zero point cannot say of it, half a
 * step, goes into the biases (padding is off by that half).
 */
export function bytesAsIntegers(
  { name, shape, mean, scale }: InputNode,
  graph: Graph,
  plan: Int8Plan,
): InputBytes | undefined {
  const [first] = mean;
  const isUniform = mean.every((value) => value === first) && first >= 0 && first <= 255 && scale > 0;
  const readers = graph.nodes.filter((node) => inputsOf(node).includes(name));
  if (!isUniform || !readers.every((reader) => plan.convs.has(reader.name))) return undefined;
  const affine = { scale: Math.fround(scale), zeroPoint: Math.round(first) };
  const [, height, width] = shape;
  const [reader] = readers;
  const blocks = readers.length === 1 && height % 2 === 0 && width % 2 === 0 && canReadBlocks(reader as ConvNode);
  return {
    affine,
    shift: (affine.zeroPoint - first) * scale,
    blocks,
    operations: (constants) => [
      ...(blocks ? blockOperations(height / 2, width / 2, constants) : []),
      operation("Transpose", [blocks ? "pictures.blocks" : "pictures"], "pictures.planar", [
        attribute("perm", [0, 3, 1, 2]),
      ]),
      operation(
        "DequantizeLinear",
        ["pictures.planar", ...affineConstants(name, affine, constants)],
        dequantized(name),
      ),
    ],
  };
}

/** 3 x 3 with stride 2 from the picture's first pixel on, as MobileNets begin. */
function canReadBlocks({ kernel, stride, dilation, groups, padding }: ConvNode): boolean {
  return kernel === 3 && stride === 2 && dilation === 1 && groups === 1 && padding.join() === "0,0,1,1";
}

function blockOperations(height: number, width: number, constants: Constants): OnnxNode[] {
  const constant = (name: string, ...sizes: number[]): string => {
    constants.set(name, { shape: [sizes.length], data: BigInt64Array.from(sizes, BigInt) });
    return name;
  };
  return [
    operation("Reshape", ["pictures", constant("pictures.pairs.shape", 0, height, 2, width, 6)], "pictures.pairs"),
    operation("Transpose", ["pictures.pairs"], "pictures.squares", [attribute("perm", [0, 1, 3, 2, 4])]),
    operation(
      "Reshape",
      ["pictures.squares", constant("pictures.blocks.shape", 0, height, width, 12)],
      "pictures.blocks",
    ),
  ];
}

interface StemConv {
  readonly node: ConvNode;
  readonly weight: Tensor;
}

/**
 * The same convolution over squares of 2 x 2 pixels: 2 x 2 with stride 1, whose fourth row and column of pixels weigh nothing.
 * A runtime gathers 12 bytes at a time rather than 3, which costs more than the products do.
 */
export function inBlocks({ node, weight }: StemConv): StemConv {
  const [channels] = node.shape;
  const data = new Float32Array(channels * 12 * 4);
  for (let out = 0; out < channels; out++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < 3; y++) {
        for (let x = 0; x < 3; x++) {
          const within = (y % 2) * 6 + (x % 2) * 3 + channel;
          const at = ((out * 12 + within) * 2 + (y >> 1)) * 2 + (x >> 1);
          data[at] = weight.data[((out * 3 + channel) * 3 + y) * 3 + x]!;
        }
      }
    }
  }
  return { node: { ...node, kernel: 2, stride: 1, inChannels: 12 }, weight: { shape: [channels, 12, 2, 2], data } };
}
