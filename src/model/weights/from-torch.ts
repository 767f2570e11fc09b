// torchvision's SSD300 with VGG16, by the names of its state dict (`torchvision/models/detection/ssd.py`).
import { MultiboxError } from "../../errors.ts";
import { type Graph, weightShapes } from "../graph.ts";
import type { Tensor, Tensors } from "./safetensors.ts";
import { take } from "./take.ts";

/**
 * The weights of a graph from the state dict of a torchvision model of that layout, whatever its classes. Pixels, layouts, boxes and
 * the columns of offsets are in the same order there. Fails with WEIGHTS_MISSING, WEIGHTS_MISFIT or WEIGHTS_NOT_FINITE.
 */
export function ssdFromTorch(graph: Graph, tensors: Tensors, file: string): Tensors {
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of weightShapes(graph)) {
    const theirs = theirName(name) ?? refuse(name, file, graph.name);
    weights.set(name, take({ tensors, file, spec: graph.name }, theirs, shape));
  }
  return weights;
}

/** Whether these are the names of an SSD. */
export function isTorchSsd(tensors: Tensors): boolean {
  return tensors.has("backbone.features.0.weight") || tensors.has("head.regression_head.module_list.0.weight");
}

/** Places of VGG16's convolutions among its layers, as in torchvision's `features`. */
export const VGG16_FEATURES: ReadonlyMap<string, number> = new Map([
  ["conv1_1", 0],
  ["conv1_2", 2],
  ["conv2_1", 5],
  ["conv2_2", 7],
  ["conv3_1", 10],
  ["conv3_2", 12],
  ["conv3_3", 14],
  ["conv4_1", 17],
  ["conv4_2", 19],
  ["conv4_3", 21],
  ["conv5_1", 24],
  ["conv5_2", 26],
  ["conv5_3", 28],
]);

/** What lies behind conv4_3, each behind its pool or activation. */
const BEHIND_CONV4_3: ReadonlyMap<string, string> = new Map([
  ["conv5_1", "0.1"],
  ["conv5_2", "0.3"],
  ["conv5_3", "0.5"],
  ["fc6", "0.7.1"],
  ["fc7", "0.7.3"],
]);

const HEADS: Readonly<Record<string, string>> = { offsets: "regression_head", logits: "classification_head" };

function theirName(ours: string): string | undefined {
  if (ours === "base.conv4_3.norm.scale") return "backbone.scale_weight";
  const [, room, index, part, kind] = /^(base|extra|head)(\d*)\.(\w+)\.(weight|bias)$/.exec(ours) ?? [];
  switch (room) {
    case "base": {
      const behind = BEHIND_CONV4_3.get(part!);
      const feature = VGG16_FEATURES.get(part!);
      if (behind !== undefined) return `backbone.extra.${behind}.${kind}`;
      return feature === undefined ? undefined : `backbone.features.${feature}.${kind}`;
    }
    case "extra":
      return `backbone.extra.${Number(index) + 1}.${part === "reduce" ? 0 : 2}.${kind}`;
    case "head":
      return `head.${HEADS[part!]}.module_list.${index}.${kind}`;
    default:
      return undefined;
  }
}

function refuse(name: string, file: string, spec: string): never {
  throw new MultiboxError(
    "WEIGHTS_MISFIT",
    `${file} is of torchvision's SSD with VGG16, which has nothing for ${name} of ${spec}.`,
    "Choose a spec with VGG16, such as ssd300-vgg16-torchvision.",
  );
}
