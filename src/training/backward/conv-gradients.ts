// What the loss changes by with a convolution's input, weight and bias, as ONNX operations that ONNX Runtime is quick at.
import { attribute } from "../../model/compile/onnx-proto.ts";
import { isDepthwise } from "../../model/compile/windows.ts";
import type { ConvNode, Shape } from "../../model/graph.ts";
import type { BackwardParts } from "./parts.ts";

/** Towards the input, of one batch. `gradient` is that of the output. */
export function inputGradient(
  parts: BackwardParts,
  node: ConvNode,
  gradient: string,
  [, height, width]: Shape,
): string {
  const { kernel, stride, padding, groups, dilation, shape } = node;
  const reach = (kernel - 1) * dilation + 1;
  const [top, left, bottom, right] = padding.map((pixels) => reach - 1 - pixels) as [number, number, number, number];
  const weight = `${node.name}.weight`;
  const turnable = groups === 1 || (isDepthwise(node) && shape[0] === groups);
  if (stride === 1 && turnable && Math.min(top, left, bottom, right) >= 0) {
    // A convolution with the kernels turned by half and inputs and outputs exchanged.
    const turned = turn(parts, weight, node);
    return parts.add(
      "Conv",
      [gradient, turned],
      [
        attribute("kernel_shape", [kernel, kernel]),
        attribute("pads", [top, left, bottom, right]),
        attribute("group", groups),
        attribute("dilations", [dilation, dilation]),
      ],
    );
  }
  const unread = (size: number, count: number, pads: number): number => size + pads - reach - (count - 1) * stride;
  return parts.add(
    "ConvTranspose",
    [gradient, weight],
    [
      attribute("kernel_shape", [kernel, kernel]),
      attribute("strides", [stride, stride]),
      attribute("pads", [...padding]),
      attribute("group", groups),
      attribute("dilations", [dilation, dilation]),
      attribute("output_padding", [
        unread(height, shape[1], padding[0] + padding[2]),
        unread(width, shape[2], padding[1] + padding[3]),
      ]),
    ],
  );
}

function turn(parts: BackwardParts, weight: string, { kernel, groups }: ConvNode): string {
  const exchanged = groups === 1 ? parts.add("Transpose", [weight], [attribute("perm", [1, 0, 2, 3])]) : weight;
  if (kernel === 1) return exchanged;
  const [last, least, axes, steps] = [
    [-1, -1],
    [-1000, -1000],
    [2, 3],
    [-1, -1],
  ];
  return parts.add("Slice", [
    exchanged,
    parts.integers(...last),
    parts.integers(...least),
    parts.integers(...axes),
    parts.integers(...steps),
  ]);
}

/** Towards the bias. */
export function biasGradient(parts: BackwardParts, gradient: string, output: string): void {
  parts.add("ReduceSum", [gradient, parts.integers(0, 2, 3)], [attribute("keepdims", 0)], output);
}

/** Towards the weight, of a batch of `pictures`. */
export function weightGradient(
  parts: BackwardParts,
  node: ConvNode,
  gradient: string,
  inputShape: Shape,
  pictures: number,
  output: string,
): void {
  if (isDepthwise(node) && node.shape[0] === node.groups)
    return depthwise(parts, node, gradient, inputShape, pictures, output);
  if (node.groups > 1) return grouped(parts, node, gradient, inputShape, pictures, output);
  const [channels, rows, columns] = node.shape;
  const windows = node.kernel === 1 && node.stride === 1 && node.padding.every((side) => side === 0);
  const flat = parts.reshape(gradient, pictures, channels, rows * columns);
  if (windows) {
    const input = parts.reshape(node.input, pictures, node.inChannels, rows * columns);
    const sum = overPictures(parts, product(parts, flat, input), pictures);
    parts.add("Reshape", [sum, parts.integers(channels, node.inChannels, 1, 1)], [], output);
    return;
  }
  // A product for each pixel of the kernel, with the input shifted to it.
  const padded = pad(parts, node);
  const taps: string[] = [];
  for (let y = 0; y < node.kernel; y++) {
    for (let x = 0; x < node.kernel; x++) {
      const shifted = shift(parts, padded, node, y * node.dilation, x * node.dilation);
      const input = parts.reshape(shifted, pictures, node.inChannels, rows * columns);
      const sum = overPictures(parts, product(parts, flat, input), pictures);
      taps.push(parts.reshape(sum, channels, node.inChannels, 1));
    }
  }
  const joined = taps.length === 1 ? taps[0]! : parts.add("Concat", taps, [attribute("axis", 2)]);
  const shape = parts.integers(channels, node.inChannels, node.kernel, node.kernel);
  parts.add("Reshape", [joined, shape], [], output);
}

/** [pictures, out, pixels] x [pictures, in, pixels] -> [pictures, out, in]. */
function product(parts: BackwardParts, gradient: string, input: string): string {
  return parts.addMicrosoft("FusedMatMul", [gradient, input], [attribute("transB", 1)]);
}

function overPictures(parts: BackwardParts, each: string, pictures: number): string {
  return pictures === 1 ? each : parts.add("ReduceSum", [each, parts.integers(0)], [attribute("keepdims", 0)]);
}

/** The input with as many pixels around it as all windows reach over. */
function pad(parts: BackwardParts, { input, padding: [top, left, bottom, right] }: ConvNode): string {
  if (top + left + bottom + right === 0) return input;
  return parts.add("Pad", [input, parts.integers(0, 0, top, left, 0, 0, bottom, right)]);
}

/** The pixels that one pixel of the kernel meets, one for each window. */
function shift(parts: BackwardParts, padded: string, { stride, shape }: ConvNode, y: number, x: number): string {
  const [, rows, columns] = shape;
  return parts.add("Slice", [
    padded,
    parts.integers(y, x),
    parts.integers(y + (rows - 1) * stride + 1, x + (columns - 1) * stride + 1),
    parts.integers(2, 3),
    parts.integers(stride, stride),
  ]);
}

/** A convolution of the input with the gradient, a group for each channel of each picture; strides and dilations change places. */
function depthwise(
  parts: BackwardParts,
  node: ConvNode,
  gradient: string,
  [channels, height, width]: Shape,
  pictures: number,
  output: string,
): void {
  const { kernel, stride, dilation, padding, shape } = node;
  const all = pictures * channels;
  const input = parts.reshape(node.input, 1, all, height, width);
  const filters = parts.reshape(gradient, all, 1, shape[1], shape[2]);
  const each = parts.add(
    "Conv",
    [input, filters],
    [
      attribute("kernel_shape", [shape[1], shape[2]]),
      attribute("strides", [dilation, dilation]),
      attribute("dilations", [stride, stride]),
      attribute("pads", [...padding]),
      attribute("group", all),
    ],
  );
  // Pixels that no window reaches make further ones at the end.
  const cut = parts.add("Slice", [each, parts.integers(0, 0), parts.integers(kernel, kernel), parts.integers(2, 3)]);
  const sum = overPictures(parts, parts.reshape(cut, pictures, channels, kernel * kernel), pictures);
  parts.add("Reshape", [sum, parts.integers(channels, 1, kernel, kernel)], [], output);
}

/** Each group as a convolution of its own. */
function grouped(
  parts: BackwardParts,
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
