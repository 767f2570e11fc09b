// VGG16 (Simonyan and Zisserman, ICLR 2015, column D) as a base network for SSD (SSD paper, section 3).
import type { GraphBuilder, Ref } from "../graph.ts";

/** Channels of the convolutions between two pools. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/**
 * Adds the network to a graph and returns the feature maps that SSD predicts from.
 *
 * Atrous: conv4_3 (stride 8, 512 channels, L2-normalised) and fc7 (stride 16, 1024 channels). pool5 keeps its input's size, and
 * fc6 and fc7 are convolutions of subsampled weights, fc6 dilated by 6 to fill the holes, as DeepLab-LargeFOV has them.
 * Full: conv4_3, conv5_3 (stride 16) and fc7 (stride 32, 4096 channels) behind the pool5 of VGG16 (the paper, "Atrous is Faster").
 */
export function vgg16(graph: GraphBuilder, input: Ref, atrous: boolean): Ref[] {
  const conv = (name: string, x: Ref, channels: number, kernel: number, dilation = 1): Ref =>
    graph.activation("relu", graph.conv(`base.${name}`, x, channels, { kernel, dilation }));
  const ends: Ref[] = [];
  let x = input;
  for (const [stage, channels] of STAGES.entries()) {
    for (const [i, count] of channels.entries()) x = conv(`conv${stage + 1}_${i + 1}`, x, count, 3);
    ends.push(x);
    // Caffe's pools round up: 75 pixels become 38.
    const shape = stage === 4 && atrous ? { kernel: 3, stride: 1, padding: 1 } : { kernel: 2, stride: 2, ceil: true };
    x = graph.maxPool(`base.pool${stage + 1}`, x, shape);
  }
  x = atrous ? conv("fc6", x, 1024, 3, 6) : conv("fc6", x, 4096, 7);
  x = conv("fc7", x, atrous ? 1024 : 4096, 1);
  // Its features are larger than those of the layers behind it (ParseNet's remedy; SSD paper, section 3.1).
  const stride8 = graph.l2norm("base.conv4_3.norm", ends[3]!);
  return atrous ? [stride8, x] : [stride8, ends[4]!, x];
}
