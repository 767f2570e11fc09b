// SSD from a spec: a base network, extra feature layers, and a box and a class predictor on each map (SSD paper, section 2.1).
import { type ActivationNode, type Graph, GraphBuilder, type Ref } from "../graph.ts";
import type { ExtraLayer, SsdSpec } from "../spec.ts";
import { mobileNetV1 } from "./mobilenet-v1.ts";
import { mobileNetV2 } from "./mobilenet-v2.ts";
import { vgg16 } from "./vgg16.ts";

/**
 * The whole network of a spec: uint8 pictures in, offsets [1, boxes, 4] and logits [1, boxes, classes] out, for each picture.
 * With `answer` "scores", what makes scores of the logits is part of the network, which answers with them instead.
 */
export function buildSsd(spec: SsdSpec, answer: "logits" | "scores" = "logits"): Graph {
  const graph = new GraphBuilder(spec.name);
  const input = graph.input(spec.input.width, spec.input.height, spec.input.mean, spec.input.scale);
  const features = baseNetwork(graph, input, spec);
  for (const [i, layer] of spec.extras.entries())
    features.push(extraLayer(graph, `extra${i}`, features.at(-1)!, layer, spec));
  const maps = predictedMaps(spec, features);
  const classes = spec.labels.length;
  const predict = (kind: string, columns: number): Ref[] =>
    maps.map((map, i) => predictor(graph, `head${i}.${kind}`, map, spec.maps[i]!.boxes.length * columns, spec));
  const offsets = graph.rows("offsets", predict("offsets", 4), 4);
  const logits = graph.rows("logits", predict("logits", classes), classes);
  return graph.build(offsets, answer === "scores" ? graph.activation(spec.scores, logits) : logits);
}

function baseNetwork(graph: GraphBuilder, input: Ref, { base }: SsdSpec): Ref[] {
  switch (base.kind) {
    case "vgg16":
      return vgg16(graph, input, base.atrous);
    case "mobilenet-v1":
      return mobileNetV1(graph, input);
    case "mobilenet-v2":
      return mobileNetV2(graph, input);
  }
}

/** 1x1 to fewer channels, then to more over a smaller map: one convolution, or SSDLite's depthwise and 1x1. */
function extraLayer(
  graph: GraphBuilder,
  name: string,
  input: Ref,
  layer: ExtraLayer,
  { base, separable }: SsdSpec,
): Ref {
  const { narrow, wide, kernel, stride, padding } = layer;
  const kind: ActivationNode["kind"] = base.kind === "vgg16" ? "relu" : "relu6";
  const activated = (conv: Ref): Ref => graph.activation(kind, conv);
  const reduced = activated(graph.conv(`${name}.reduce`, input, narrow));
  if (!separable) return activated(graph.conv(`${name}.expand`, reduced, wide, { kernel, stride, padding }));
  const depthwise = { kernel, stride, padding, groups: narrow };
  const filtered = activated(graph.conv(`${name}.depthwise`, reduced, narrow, depthwise));
  return activated(graph.conv(`${name}.expand`, filtered, wide));
}

/** One convolution, or SSDLite's: that of SSD made separable (MobileNetV2 paper, section 6.2). */
function predictor(graph: GraphBuilder, name: string, input: Ref, channels: number, spec: SsdSpec): Ref {
  const kernel = spec.predictorKernel;
  if (!spec.separable) return graph.conv(name, input, channels, { kernel });
  const filtered = graph.conv(`${name}.depthwise`, input, input.shape[0], { kernel, groups: input.shape[0] });
  return graph.conv(`${name}.project`, graph.activation("relu6", filtered), channels);
}

/** The feature map that each map of the tiling lies on. Throws where the two do not fit. */
function predictedMaps(spec: SsdSpec, features: readonly Ref[]): Ref[] {
  // A tiling that names no feature maps lies on all of them.
  const choosing = spec.maps.some(({ feature }) => feature !== undefined);
  const chosen = choosing ? spec.maps.map(({ feature }, i) => features[feature ?? i]) : features;
  const made = chosen.map((map) => (map ? `${map.shape[1]}x${map.shape[2]}` : "none")).join(" ");
  const tiled = spec.maps.map(({ cells }) => `${cells}x${cells}`).join(" ");
  if (made !== tiled)
    throw new Error(`${spec.name}: the network makes maps of ${made} cells, the tiling has ${tiled}.`);
  return chosen as Ref[];
}
