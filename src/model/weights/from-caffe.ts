// The released SSD models of Caffe (Liu's `ssd` branch, `python/caffe/model_libs.py`), by the names of their layers.
import { MultiboxError } from "../../errors.ts";
import { type Graph, weightShapes } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";
import { take } from "./take.ts";

/**
 * The weights of a graph from the blobs of a Caffe model. Its Permute and Flatten layers give rows in our order, its PriorBox layer
 * boxes in the order of `tilings.ts`, and CENTER_SIZE the columns cx, cy, width, height, so only the channels of the pictures differ:
 * B, G, R there. Fails with WEIGHTS_MISSING, WEIGHTS_MISFIT or WEIGHTS_NOT_FINITE.
 */
export function ssdFromCaffe(graph: Graph, blobs: Tensors, file: string): Tensors {
  const layers = layerNames(graph, file);
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of weightShapes(graph)) {
    const [, node, kind] = /^(.*)\.(\w+)$/.exec(name)!;
    const theirs = `${layers.get(node!)!}.${kind === "bias" ? "bias" : "weight"}`;
    weights.set(name, take({ tensors: blobs, file, spec: graph.name }, theirs, shape));
  }
  const first = weights.get(FIRST);
  if (first) weights.set(FIRST, swapColours(first));
  return weights;
}

/** Whether these are the names of an SSD. */
export function isCaffeSsd(blobs: Tensors): boolean {
  return [...blobs.keys()].some((name) => name.endsWith("_mbox_loc.weight"));
}

/** Weights of a first convolution [out, 3, height, width] for R, G, B from those for B, G, R. */
export function swapColours({ shape, data }: Tensor): Tensor {
  const [outs, colours, height, width] = shape as [number, number, number, number];
  const size = height * width;
  const swapped = new Float32Array(data.length);
  for (let out = 0; out < outs; out++) {
    for (let colour = 0; colour < colours; colour++) {
      const from = (out * colours + (colours - 1 - colour)) * size;
      swapped.set(data.subarray(from, from + size), (out * colours + colour) * size);
    }
  }
  return { shape, data: swapped };
}

const FIRST = "base.conv1_1.weight";

/** The release calls the layers behind fc7 conv6_1, conv6_2, conv7_1 ... */
const FIRST_EXTRA = 6;

/** Caffe's name of each node that has weights; a predictor is named after the layer that it predicts from. */
function layerNames(graph: Graph, file: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.kind !== "conv" && node.kind !== "l2norm") continue;
    const [, kind] = /^head\d+\.(offsets|logits)$/.exec(node.name) ?? [];
    const theirs = kind
      ? `${layerName(node.input.replace(/\.relu$/, ""))}_mbox_${kind === "offsets" ? "loc" : "conf"}`
      : layerName(node.name);
    if (!theirs) {
      throw new MultiboxError(
        "WEIGHTS_MISFIT",
        `${file} is of Caffe's SSD with VGG16, which has nothing for ${node.name} of ${graph.name}.`,
        "Choose a spec with VGG16, such as ssd300-vgg16-voc.",
      );
    }
    names.set(node.name, theirs);
  }
  return names;
}

function layerName(ours: string): string | undefined {
  if (ours === "base.conv4_3.norm") return "conv4_3_norm";
  const [, layer] = /^base\.(conv\d_\d|fc\d)$/.exec(ours) ?? [];
  const [, index, part] = /^extra(\d+)\.(reduce|expand)$/.exec(ours) ?? [];
  return layer ?? (index && `conv${FIRST_EXTRA + Number(index)}_${part === "reduce" ? 1 : 2}`);
}
