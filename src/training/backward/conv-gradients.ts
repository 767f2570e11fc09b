// What the loss changes by with a convolution's input and bias, as ONNX operations that ONNX Runtime is quick at.
import { attribute } from "../../model/compile/onnx-proto.ts";
import { isDepthwise } from "../../model/compile/windows.ts";
import type { ConvNode, Shape } from "../../model/graph.ts";
import { blockedConvolution, blockedSum, isBlocked } from "./blocked-convolutions.ts";
import type { ModelParts } from "./parts.ts";

/** Towards the input, of one batch. `gradient` is that of the output. */
export function inputGradient(parts: ModelParts, node: ConvNode, gradient: string, [, height, width]: Shape): string {
  const { inChannels, kernel, stride, padding, groups, dilation, shape } = node;
  const reach = (kernel - 1) * dilation + 1;
  const [top, left, bottom, right] = padding.map((pixels) => reach - 1 - pixels) as [number, number, number, number];
  const weight = `${node.name}.weight`;
  const turnable = groups === 1 || (isDepthwise(node) && shape[0] === groups);
  if (stride === 1 && turnable && Math.min(top, left, bottom, right) >= 0) {
    // A convolution with the kernels turned by half and inputs and outputs exchanged.
    const exchanged = groups === 1 ? parts.add("Transpose", [weight], [attribute("perm", [1, 0, 2, 3])]) : weight;
    const windows = [attribute("pads", [top, left, bottom, right]), attribute("dilations", [dilation, dilation])];
    const inBlocks = isBlocked(parts, node);
    // Dense kernels turn quicker in blocks.
    const turned = inBlocks && groups === 1;
    const filters = kernel === 1 || turned ? exchanged : turn(parts, exchanged);
    const [ins, outs] = [shape[0], inChannels];
    const conv = { input: gradient, weight: filters, ins, outs, kernel, groups, turned, windows };
    if (inBlocks) return blockedConvolution(parts, conv);
    const others = [attribute("kernel_shape", [kernel, kernel]), attribute("group", groups)];
    return parts.add("Conv", [gradient, filters], [...others, ...windows]);
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

/** By half. */
function turn(parts: ModelParts, weight: string): string {
  const [last, least, axes, steps] = [
    [-1, -1],
    [-1000, -1000],
    [2, 3],
    [-1, -1],
  ];
  return parts.add("Slice", [
    weight,
    parts.integers(...last),
    parts.integers(...least),
    parts.integers(...axes),
    parts.integers(...steps),
  ]);
}

/** Towards the bias. */
export function biasGradient(parts: ModelParts, { shape }: ConvNode, gradient: string, output: string): void {
  if (parts.hasBlocks(gradient)) return blockedSum(parts, gradient, shape, output);
  parts.add("ReduceSum", [gradient, parts.integers(0, 2, 3)], [attribute("keepdims", 0)], output);
}
