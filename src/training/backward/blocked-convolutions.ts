// Convolutions of maps in blocks: ONNX Runtime's quickest, which it does not take by itself where weights are no constants.
import { attribute, numbersAttribute, type OnnxAttribute, textAttribute } from "../../model/compile/onnx-proto.ts";
import type { ActivationNode, ConvNode, Shape } from "../../model/graph.ts";
import { blocksOf, type ModelParts } from "./parts.ts";

/** What a convolution has, whose output or input gradient is computed in blocks. */
export interface BlockedConvolution {
  readonly input: string;
  readonly weight: string;
  readonly bias?: string;
  readonly ins: number;
  readonly outs: number;
  readonly kernel: number;
  readonly groups: number;
  /** Whether dense kernels are turned by half. */
  readonly turned?: boolean;
  /** Strides, padding and dilations. */
  readonly windows: readonly OnnxAttribute[];
  readonly activation?: ActivationNode["kind"] | undefined;
}

/** Whether a convolution, or the one towards its input, is computed in blocks. One of single pixels is a product of matrices as it is. */
export function isBlocked({ block }: ModelParts, { groups, inChannels, kernel, shape }: ConvNode): boolean {
  if (block === 0) return false;
  if (groups > 1) return groups === inChannels && groups === shape[0] && groups % block === 0;
  return kernel > 1 && Math.min(inChannels, shape[0]) >= block;
}

/** The way forward, up to the activation that alone reads it. */
export function addBlocked(parts: ModelParts, node: ConvNode, activation?: ActivationNode): void {
  const { name, input, inChannels: ins, kernel, stride, padding, groups, dilation, shape } = node;
  const windows = [
    attribute("strides", [stride, stride]),
    attribute("pads", [...padding]),
    attribute("dilations", [dilation, dilation]),
  ];
  const [weight, bias, outs] = [`${name}.weight`, `${name}.bias`, shape[0]];
  const own = { input, weight, bias, ins, outs, kernel, groups, windows, activation: activation?.kind };
  blockedConvolution(parts, own, activation?.name ?? name);
}

/** Returns the name of the output, as a plain map. */
export function blockedConvolution(parts: ModelParts, conv: BlockedConvolution, output = parts.newName()): string {
  const { input, weight, bias, ins, outs, kernel, groups, turned = false, windows, activation } = conv;
  const whole = (channels: number): number => Math.ceil(channels / parts.block) * parts.block;
  const [moreIns, moreOuts] = [whole(ins) - ins, whole(outs) - outs];
  const map = parts.inBlocks(pad(parts, input, [0, moreIns, 0, 0]));
  const filters =
    groups > 1
      ? depthwiseFilters(parts, weight, groups, kernel)
      : denseFilters(parts, pad(parts, weight, [moreOuts, moreIns, 0, 0]), whole(ins), whole(outs), kernel, turned);
  const inputs = [map, filters, ...(bias === undefined ? [] : [pad(parts, bias, [moreOuts])])];
  const attributes = [attribute("kernel_shape", [kernel, kernel]), attribute("group", groups), ...windows];
  if (activation !== undefined) {
    attributes.push(textAttribute("activation", activation === "relu" ? "Relu" : "Clip"));
    if (activation === "relu6") attributes.push(numbersAttribute("activation_params", [0, 6]));
  }
  parts.addOnBlocks("Conv", inputs, attributes, blocksOf(output));
  return parts.fromBlocks(output, outs);
}

/** Zeros at the end of each axis. */
function pad(parts: ModelParts, tensor: string, more: readonly number[]): string {
  if (more.every((count) => count === 0)) return tensor;
  return parts.add("Pad", [tensor, parts.integers(...more.map(() => 0), ...more)]);
}

/** [channels, 1, kernel, kernel] -> [channels / block, kernel, kernel, block]: what is done with maps. */
function depthwiseFilters(parts: ModelParts, weight: string, channels: number, kernel: number): string {
  return parts.reshape(parts.inBlocks(parts.reshape(weight, 1, channels, kernel, kernel)), channels, 1, kernel, kernel);
}

/** [outs, ins, kernel, kernel] -> [outs / block, ins / block, kernel, kernel, block of ins, block of outs]. */
function denseFilters(
  parts: ModelParts,
  weight: string,
  ins: number,
  outs: number,
  kernel: number,
  turned: boolean,
): string {
  const pixels = kernel * kernel;
  const outsLast = parts.inBlocks(parts.reshape(weight, 1, outs, ins * pixels, 1));
  const { block } = parts;
  const apart = parts.reshape(outsLast, (outs * ins) / (block * block), block, pixels, block);
  const ordered = parts.add("Transpose", [apart], [attribute("perm", [0, 2, 1, 3])]);
  const last = Array.from({ length: pixels }, (_, pixel) => pixels - 1 - pixel);
  const all = turned ? parts.add("Gather", [ordered, parts.integers(...last)], [attribute("axis", 1)]) : ordered;
  return parts.reshape(all, outs, ins, kernel, kernel);
}

/** The sum of each channel over pictures and pixels. */
export function blockedSum(parts: ModelParts, map: string, [, rows, columns]: Shape, output: string): void {
  const means = parts.addOnBlocks("GlobalAveragePool", [parts.inBlocks(map)], [], parts.newName());
  const mean = parts.add("ReduceSum", [means, parts.integers(0, 2, 3)], [attribute("keepdims", 0)]);
  parts.add("Mul", [mean, parts.number(rows * columns)], [], output);
}
