// Weights to start the training of an SSD with: a classifier's where it has them, and otherwise drawn at random.
import { MultiboxError } from "../../errors.ts";
import { type Graph, type InputNode, weightShapes } from "../graph.ts";
import { random } from "../random.ts";
import { elementCount, type Tensor, type Tensors } from "./safetensors.ts";
import { take } from "./take.ts";
import type { Vgg16 } from "./vgg16.ts";

/** Weights, and which layers' were drawn or subsampled. */
export interface Start {
  readonly weights: Tensors;
  readonly drawn: readonly string[];
  readonly subsampled: readonly string[];
}

/**
 * VGG16's convolutions as they are, but that conv1_1 is made to fit the graph's pixels; fc6 and fc7 subsampled where the graph wants
 * fewer (SSD paper, section 3). Other convolutions are drawn from a uniform distribution by Glorot and Bengio ("xavier"), with biases of
 * 0; norms have a scale of 20 (section 3.1). `seed` makes the draws the same again. Fails with WEIGHTS_MISSING, WEIGHTS_MISFIT or
 * WEIGHTS_NOT_FINITE.
 */
export function startFromVgg16(graph: Graph, vgg16: Vgg16, seed: number): Start {
  const input = graph.nodes.find((node): node is InputNode => node.kind === "input")!;
  const next = random(seed);
  const drawn = new Set<string>();
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of weightShapes(graph)) {
    const layer = /^base\.(conv\d_\d|fc\d)\.(?:weight|bias)$/.exec(name)?.[1];
    if (layer && (layer.startsWith("conv") || vgg16.tensors.has(`${layer}.weight`))) {
      weights.set(name, layerOf(vgg16, name.slice("base.".length), shape, graph.name));
      continue;
    }
    if (name.startsWith("base.") && !layer && !name.endsWith(".scale")) throw notVgg16(vgg16.file, graph.name);
    const data = new Float32Array(elementCount(shape));
    if (name.endsWith(".scale")) data.fill(NORM_SCALE);
    if (name.endsWith(".weight")) {
      const [outs, ins, height, width] = shape as [number, number, number, number];
      const reach = Math.sqrt(6 / ((ins + outs) * height * width));
      for (let i = 0; i < data.length; i++) data[i] = (next() * 2 - 1) * reach;
    }
    weights.set(name, { shape, data });
    drawn.add(name.slice(0, name.lastIndexOf(".")));
  }
  fitPixels(weights, input, vgg16.pixels);
  const sizes = (name: string): number => weights.get(`base.${name}`)?.data.length ?? 0;
  const subsampled = ["fc6", "fc7"].filter(
    (layer) => (vgg16.tensors.get(`${layer}.weight`)?.data.length ?? 0) > sizes(`${layer}.weight`),
  );
  return { weights, drawn: [...drawn], subsampled };
}

const NORM_SCALE = 20;

/** A layer's tensor, subsampled where the graph wants a smaller one. */
function layerOf({ tensors, file }: Vgg16, name: string, shape: readonly number[], spec: string): Tensor {
  const source = { tensors, file, spec };
  const found = tensors.get(name)?.shape;
  // What Caffe and torchvision have as matrices over all 7 x 7 pixels of the last map, and over what that gives.
  const full = FULL.get(name);
  const whole = full && found && elementCount(found) === elementCount(full) ? found : undefined;
  if (!full || !whole) return take(source, name, shape);
  const { data } = take(source, name, whole);
  return elementCount(shape) === data.length ? { shape, data } : subsample({ shape: full, data }, shape);
}

const FULL: ReadonlyMap<string, readonly number[]> = new Map([
  ["fc6.weight", [4096, 512, 7, 7]],
  ["fc6.bias", [4096]],
  ["fc7.weight", [4096, 4096, 1, 1]],
  ["fc7.bias", [4096]],
]);

/**
 * Every so many-th entry along each axis: of 4096 channels every fourth, of 7 pixels every third, as DeepLab-LargeFOV and Caffe's
 * release of SSD reduced VGG16.
 */
function subsample(tensor: Tensor, shape: readonly number[]): Tensor {
  const steps = shape.map((size, axis) => (size === 1 ? 1 : Math.floor((tensor.shape[axis]! - 1) / (size - 1))));
  const data = new Float32Array(elementCount(shape));
  for (let at = 0; at < data.length; at++) {
    let from = 0;
    let rest = at;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]!) * steps[axis]! * stride;
      rest = Math.floor(rest / shape[axis]!);
      stride *= tensor.shape[axis]!;
    }
    data[at] = tensor.data[from]!;
  }
  return { shape, data };
}

/**
 * conv1_1 for pictures with another mean and scale, so that it answers as it did: its weights are rescaled, and what the means differ
 * by goes into its biases. Means that are less than a grey level apart are one, as in Caffe's release.
 */
function fitPixels(weights: Map<string, Tensor>, { mean, scale }: InputNode, pixels: Vgg16["pixels"]): void {
  const weight = weights.get("base.conv1_1.weight");
  const bias = weights.get("base.conv1_1.bias");
  if (!weight || !bias) return;
  const factors = pixels.scale.map((theirs) => theirs / scale);
  const shifts = pixels.scale.map((theirs, colour) => {
    const apart = mean[colour]! - pixels.mean[colour]!;
    return Math.abs(apart) < 1 ? 0 : apart * theirs;
  });
  const size = weight.data.length / bias.data.length / 3;
  const biases = Float32Array.from(bias.data);
  const data = weight.data.map((value, i) => {
    const colour = Math.floor(i / size) % 3;
    biases[Math.floor(i / size / 3)]! += value * shifts[colour]!;
    return value * factors[colour]!;
  });
  weights.set("base.conv1_1.weight", { shape: weight.shape, data });
  weights.set("base.conv1_1.bias", { shape: bias.shape, data: biases });
}

function notVgg16(file: string, spec: string): MultiboxError {
  return new MultiboxError(
    "WEIGHTS_MISFIT",
    `${file} is of VGG16, and ${spec} has another base network.`,
    "Choose a spec with VGG16, such as ssd300-vgg16-voc.",
  );
}
