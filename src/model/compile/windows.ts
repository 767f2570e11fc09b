// What compilers ask of convolutions and pools: how they are padded, and what is computed together with them.
import {
  type ActivationNode,
  type ConvNode,
  type Graph,
  inputsOf,
  type MaxPoolNode,
  samePadding,
  type Shape,
} from "../graph.ts";

/** One filter a channel, or several. */
export function isDepthwise({ groups, inChannels }: ConvNode): boolean {
  return groups > 1 && groups === inChannels;
}

/** The relu or relu6 that alone reads a convolution, by the convolution's name; what the graph answers with is read besides. */
export function soleActivations(graph: Graph): Map<string, ActivationNode> {
  const sole = new Map<string, ActivationNode>();
  for (const { kind, name } of graph.nodes) {
    if (kind !== "conv" || name === graph.offsets || name === graph.logits) continue;
    const [reader, ...others] = graph.nodes.filter((node) => inputsOf(node).includes(name));
    if (others.length === 0 && (reader?.kind === "relu" || reader?.kind === "relu6")) sole.set(name, reader);
  }
  return sole;
}

/** TensorFlow's names for a padding of nothing and for its own; other programs know these best. Anything else is explicit. */
export function paddingKind(node: ConvNode | MaxPoolNode, [, height, width]: Shape): "valid" | "same" | "explicit" {
  const { padding, shape, stride, kernel } = node;
  if (padding.every((pixels) => pixels === 0)) return "valid";
  const reach = node.kind === "conv" ? (kernel - 1) * node.dilation + 1 : kernel;
  const [top, left, bottom, right] = padding;
  const isSame = (size: number, windows: number, before: number, after: number): boolean =>
    windows === Math.ceil(size / stride) && samePadding(size, reach, stride).join() === `${before},${after}`;
  return isSame(height, shape[1], top, bottom) && isSame(width, shape[2], left, right) ? "same" : "explicit";
}
