// SSD from a spec: a base network, extra feature layers, and a box and a class predictor on each map (SSD paper, section 2.1).
import { type Graph, GraphBuilder, type Ref } from "../graph.ts";
import type { SsdSpec } from "../spec.ts";
import { mobileNetV2 } from "./mobilenet-v2.ts";

/** Channels of the four extra layers of SSDLite, bottleneck and output (TensorFlow's ssdlite_mobilenet_v2_coco). */
const SSDLITE_EXTRAS = [
  [256, 512],
  [128, 256],
  [128, 256],
  [64, 128],
] as const;

/** The whole network of a spec: uint8 pictures in, offsets [1, boxes, 4] and logits [1, boxes, classes] out, for each picture. */
export function buildSsd(spec: SsdSpec): Graph {
  const graph = new GraphBuilder(spec.name);
  const input = graph.input(spec.input.width, spec.input.height, spec.input.mean, spec.input.scale);
  const maps: Ref[] = mobileNetV2(graph, input);
  for (const [i, [narrow, wide]] of SSDLITE_EXTRAS.entries())
    maps.push(extraLayer(graph, `extra${i}`, maps.at(-1)!, narrow, wide));
  checkMaps(spec, maps);
  const classes = spec.labels.length;
  const predict = (kind: string, columns: number): Ref[] =>
    maps.map((map, i) => predictor(graph, `head${i}.${kind}`, map, spec.maps[i]!.boxes.length * columns));
  const offsets = graph.rows("offsets", predict("offsets", 4), 4);
  const logits = graph.rows("logits", predict("logits", classes), classes);
  return graph.build(offsets, logits);
}

/** Halves the map: 1x1 to fewer channels, depthwise 3x3 with stride 2, 1x1 to more. */
function extraLayer(graph: GraphBuilder, name: string, input: Ref, narrow: number, wide: number): Ref {
  const reduced = graph.relu6(graph.conv(`${name}.reduce`, input, narrow));
  const halved = graph.relu6(
    graph.conv(`${name}.depthwise`, reduced, narrow, { kernel: 3, stride: 2, groups: narrow }),
  );
  return graph.relu6(graph.conv(`${name}.expand`, halved, wide));
}

/** SSDLite's predictor: the 3x3 convolution of SSD made separable (MobileNetV2 paper, section 6.2). */
function predictor(graph: GraphBuilder, name: string, input: Ref, channels: number): Ref {
  const filtered = graph.conv(`${name}.depthwise`, input, input.shape[0], { kernel: 3, groups: input.shape[0] });
  return graph.conv(`${name}.project`, graph.relu6(filtered), channels);
}

function checkMaps(spec: SsdSpec, maps: readonly Ref[]): void {
  const made = maps.map(({ shape: [, height, width] }) => `${height}x${width}`).join(" ");
  const tiled = spec.maps.map(({ cells }) => `${cells}x${cells}`).join(" ");
  if (made !== tiled)
    throw new Error(`${spec.name}: the network makes maps of ${made} cells, the tiling has ${tiled}.`);
}
