// What the loss changes by with a convolution's weight: products of matrices as large as can be, which ONNX Runtime is quickest at.
import { attribute } from "../../model/compile/onnx-proto.ts";
import { isDepthwise } from "../../model/compile/windows.ts";
import type { ConvNode, Shape } from "../../model/graph.ts";
import { isBlocked } from "./blocked-convolutions.ts";
import { blocksOf, type ModelParts } from "./parts.ts";

/** Towards the weight, of a batch of `pictures`. `gradient` is that of the output. */
export function weightGradient(
  parts: ModelParts,
  node: ConvNode,
  gradient: string,
  inputShape: Shape,
  pictures: number,
  output: string,
): void {
  if (isDepthwise(node) && node.shape[0] === node.groups)
    return depthwise(parts, node, gradient, inputShape, pictures, output);
  if (node.groups > 1) return grouped(parts, node, gradient, inputShape, pictures, output);
  if (node.kernel === 1 && node.stride === 1 && node.padding.every((side) => side === 0))
    return pointwise(parts, node, gradient, pictures, output);
  return shifted(parts, node, gradient, inputShape, pictures, output);
}

/** The sum over pictures and pixels of gradient times input. */
function pointwise(parts: ModelParts, node: ConvNode, gradient: string, pictures: number, output: string): void {
  const [channels, rows, columns] = node.shape;
  const [pixels, ins] = [rows * columns, node.inChannels];
  const product = (...of: [string, string]): string => parts.addMicrosoft("FusedMatMul", of, [attribute("transB", 1)]);
  const shape = parts.integers(channels, ins, 1, 1);
  if (channels * ins > pixels * (channels + ins)) {
    const flat = (map: string, count: number): string => joinPictures(parts, map, pictures, count, pixels);
    parts.add("Reshape", [product(flat(gradient, channels), flat(node.input, ins)), shape], [], output);
    return;
  }
  const flat = (map: string, count: number): string => parts.reshape(map, pictures, count, pixels);
  const sum = overPictures(parts, product(flat(gradient, channels), flat(node.input, ins)), pictures);
  parts.add("Reshape", [sum, shape], [], output);
}

/**
 * With copies of one of the two, shifted by each pixel of the kernel, side by side, so that few products do for all of them. Of gradient
 * and input that with fewer channels is copied; with a stride the input, since windows then pass over some of its pixels.
 */
function shifted(
  parts: ModelParts,
  node: ConvNode,
  gradient: string,
  [, height, width]: Shape,
  pictures: number,
  output: string,
): void {
  const { kernel, stride, dilation, padding, shape, inChannels: ins } = node;
  const [outs, rows, columns] = shape;
  const reach = (kernel - 1) * dilation;
  const around = padding.map((pixels) => reach - pixels);
  const ofGradient = stride === 1 && outs <= ins && Math.min(...around) >= 0;
  const [copied, read] = ofGradient ? [gradient, node.input] : [node.input, gradient];
  const [channels, readChannels] = ofGradient ? [outs, ins] : [ins, outs];
  const size = ofGradient ? ([height, width] as const) : ([rows, columns] as const);
  const pixels = size[0] * size[1];
  const last = parts.add("Transpose", [copied], [attribute("perm", [0, 2, 3, 1])]);
  const padded = pad(parts, last, ofGradient ? around : padding);
  // What a pixel of the kernel has met lies the other way round, seen from the input.
  const place = (tap: number): number => (ofGradient ? kernel - 1 - tap : tap) * dilation;
  const copies = Array.from({ length: kernel * kernel }, (_, tap) =>
    shift(parts, padded, [place(Math.floor(tap / kernel)), place(tap % kernel)], size, stride),
  );
  const each = Math.max(1, Math.floor(parts.mostShifted / (pictures * pixels * channels)));
  const products: string[] = [];
  for (let from = 0; from < copies.length; from += each) {
    const some = copies.slice(from, from + each);
    const joined = some.length === 1 ? some[0]! : parts.add("Concat", some, [attribute("axis", 3)]);
    const sum = contract(parts, read, joined, [readChannels, pixels, some.length * channels], pictures);
    products.push(parts.reshape(sum, readChannels, some.length, channels));
  }
  const all = products.length === 1 ? products[0]! : parts.add("Concat", products, [attribute("axis", 1)]);
  const square = parts.reshape(all, readChannels, kernel, kernel, channels);
  parts.add("Transpose", [square], [attribute("perm", ofGradient ? [3, 0, 1, 2] : [0, 3, 1, 2])], output);
}

/**
 * [pictures, channels, pixels] times [pictures, pixels, columns], summed over the pictures: by one product, for which the maps of the first
 * are laid side by side, or by one for each picture, whichever moves fewer numbers.
 */
function contract(
  parts: ModelParts,
  maps: string,
  last: string,
  [channels, pixels, columns]: readonly [number, number, number],
  pictures: number,
): string {
  if (columns > pixels) {
    const flat = joinPictures(parts, maps, pictures, channels, pixels);
    return parts.add("MatMul", [flat, parts.reshape(last, pictures * pixels, columns)]);
  }
  const factors = [
    parts.reshape(maps, pictures, channels, pixels),
    parts.reshape(last, pictures, pixels, columns),
  ] as const;
  return overPictures(parts, parts.add("MatMul", factors), pictures);
}

/** [pictures, channels, pixels] -> [channels, pictures * pixels]. */
function joinPictures(parts: ModelParts, maps: string, pictures: number, channels: number, pixels: number): string {
  if (pictures === 1) return parts.reshape(maps, channels, pixels);
  const flat = parts.reshape(maps, pictures, channels, pixels);
  return parts.reshape(parts.add("Transpose", [flat], [attribute("perm", [1, 0, 2])]), channels, pictures * pixels);
}

function overPictures(parts: ModelParts, each: string, pictures: number): string {
  if (pictures === 1) return each;
  return parts.add("ReduceSum", [each, parts.integers(0)], [attribute("keepdims", 0)]);
}

/** Maps with their channels last, and so many pixels more at the top, left, bottom and right. */
function pad(parts: ModelParts, last: string, sides: readonly number[]): string {
  const [top, left, bottom, right] = sides as [number, number, number, number];
  if (top + left + bottom + right === 0) return last;
  return parts.add("Pad", [last, parts.integers(0, top, left, 0, 0, bottom, right, 0)]);
}

/** Every `stride`th pixel of maps with their channels last. */
function shift(
  parts: ModelParts,
  padded: string,
  [y, x]: readonly [number, number],
  [rows, columns]: readonly [number, number],
  stride: number,
): string {
  return parts.add("Slice", [
    padded,
    parts.integers(y, x),
    parts.integers(y + (rows - 1) * stride + 1, x + (columns - 1) * stride + 1),
    parts.integers(1, 2),
    parts.integers(stride, stride),
  ]);
}

/** A convolution of the input with the gradient, a group for each channel of each picture; strides and dilations change places. */
function depthwise(
  parts: ModelParts,
  node: ConvNode,
  gradient: string,
  [channels, height, width]: Shape,
  pictures: number,
  output: string,
): void {
  const { kernel, stride, dilation, padding, shape } = node;
  const all = pictures * channels;
  const inBlocks = isBlocked(parts, node);
  const placed = (map: string): string => (inBlocks ? parts.inBlocks(map) : map);
  const factors = [
    parts.reshape(placed(node.input), 1, all, height, width),
    parts.reshape(placed(gradient), all, 1, shape[1], shape[2]),
  ];
  const attributes = [
    attribute("kernel_shape", [shape[1], shape[2]]),
    attribute("strides", [dilation, dilation]),
    attribute("dilations", [stride, stride]),
    attribute("pads", [...padding]),
    attribute("group", all),
  ];
  const each = parts.newName();
  if (inBlocks) {
    parts.addOnBlocks("Conv", factors, attributes, blocksOf(each));
    parts.fromBlocks(each, all);
  } else parts.add("Conv", factors, attributes, each);
  // Pixels that no window reaches make further ones at the end.
  const cut = parts.add("Slice", [each, parts.integers(0, 0), parts.integers(kernel, kernel), parts.integers(2, 3)]);
  const sum = overPictures(parts, parts.reshape(cut, pictures, channels, kernel * kernel), pictures);
  parts.add("Reshape", [sum, parts.integers(channels, 1, kernel, kernel)], [], output);
}

/** Each group as a convolution of its own. */
function grouped(
  parts: ModelParts,
  node: ConvNode,
  gradient: string,
  inputShape: Shape,
  pictures: number,
  output: string,
): void {
  const [ins, outs] = [node.inChannels / node.groups, node.shape[0] / node.groups];
  const slice = (of: string, from: number, count: number): string =>
    parts.add("Slice", [of, parts.integers(from), parts.integers(from + count), parts.integers(1)]);
  const groups = Array.from({ length: node.groups }, (_, group) => {
    const name = `${output}.group${group}`;
    const part: ConvNode = {
      ...node,
      input: slice(node.input, group * ins, ins),
      inChannels: ins,
      groups: 1,
      shape: [outs, node.shape[1], node.shape[2]],
    };
    weightGradient(parts, part, slice(gradient, group * outs, outs), inputShape, pictures, name);
    return name;
  });
  parts.add("Concat", groups, [attribute("axis", 0)], output);
}
