// MobileNetV1 (Howard et al., 2017, table 1) as a base network for SSD: depthwise and pointwise convolutions by turns.
import type { GraphBuilder, Ref } from "../graph.ts";

/** Table 1 of the paper: output channels and stride of each separable convolution. */
const BLOCKS = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/**
 * Adds the network to a graph and returns the two feature maps that TensorFlow's SSD predicts from: the last with stride 16
 * (512 channels, its Conv2d_11) and the last of all (stride 32, 1024 channels, its Conv2d_13).
 */
export function mobileNetV1(graph: GraphBuilder, input: Ref): [stride16: Ref, stride32: Ref] {
  const conv = graph.conv("base.conv", input, 32, { kernel: 3, stride: 2 });
  let x = graph.activation("relu6", conv);
  let stride16 = x;
  for (const [block, [channels, stride]] of BLOCKS.entries()) {
    if (channels === 1024 && stride === 2) stride16 = x;
    const groups = x.shape[0];
    const filtered = graph.conv(`base.block${block}.depthwise`, x, groups, { kernel: 3, stride, groups });
    const pointwise = graph.conv(`base.block${block}.pointwise`, graph.activation("relu6", filtered), channels);
    x = graph.activation("relu6", pointwise);
  }
  return [stride16, x];
}
