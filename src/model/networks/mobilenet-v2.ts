// MobileNetV2 (Sandler et al., CVPR 2018, table 2) as a base network for SSD: inverted residuals with linear bottlenecks.
import type { GraphBuilder, Ref } from "../graph.ts";

/** Table 2 of the paper: expansion, output channels, repeats, stride of the first repeat. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * Adds the network to a graph and returns the two feature maps that SSDLite predicts from (section 6.2 of the paper):
 * the expansion of the first block with output stride 32 (stride 16, 576 channels) and the last convolution (stride 32, 1280).
 */
export function mobileNetV2(graph: GraphBuilder, input: Ref): [stride16: Ref, stride32: Ref] {
  let x = graph.activation("relu6", graph.conv("base.conv", input, 32, { kernel: 3, stride: 2 }));
  let stride16: Ref | undefined;
  let block = 0;
  for (const [expansion, channels, repeats, firstStride] of STAGES) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const stride = repeat === 0 ? firstStride : 1;
      const { output, expanded } = invertedResidual(graph, `base.block${block++}`, x, expansion, channels, stride);
      if (channels === 160 && repeat === 0) stride16 = expanded;
      x = output;
    }
  }
  return [stride16!, graph.activation("relu6", graph.conv("base.last", x, 1280))];
}

/** Expand 1x1, depthwise 3x3, project 1x1 without an activation; a shortcut where the shape is kept (figure 4d of the paper). */
function invertedResidual(
  graph: GraphBuilder,
  name: string,
  input: Ref,
  expansion: number,
  channels: number,
  stride: number,
): { output: Ref; expanded: Ref } {
  const wide = input.shape[0] * expansion;
  const expanded = expansion === 1 ? input : graph.activation("relu6", graph.conv(`${name}.expand`, input, wide));
  const filtered = graph.activation(
    "relu6",
    graph.conv(`${name}.depthwise`, expanded, wide, { kernel: 3, stride, groups: wide }),
  );
  const projected = graph.conv(`${name}.project`, filtered, channels);
  const keepsShape = stride === 1 && input.shape[0] === channels;
  return { output: keepsShape ? graph.add(`${name}.add`, input, projected) : projected, expanded };
}
