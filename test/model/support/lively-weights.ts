// Weights for an SSD on VGG16 that nobody has trained, such that boxes and classes differ from place to place; Python makes the same.
import { type Graph, weightShapes } from "../../../src/model/graph.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { random } from "../../../src/model/random.ts";

/** That the golden values were made with. */
export const SEED = 7;

/** What makes the heads of later maps, whose features are weaker or stronger, as lively as those of the first. */
const GAINS = [1, 0.2, 0.3, 0.5, 0.8, 1, 1];
const LOGIT_GAIN = 2.2;
/** Of the background, so that most boxes are one. */
const BACKGROUND_BIAS = 8;

/**
 * Bit by bit those of test/parity/ssd_networks.py. Convolutions have He et al.'s spread (ICCV 2015) about each filter's own mean:
 * filters that add up to zero answer to what differs between places, while the mean would grow over so many layers until all
 * places looked alike.
 */
export function livelyWeights(graph: Graph, classes: number, seed = SEED): Tensors {
  const next = random(seed);
  const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of weightShapes(graph)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Float64Array.from({ length: count }, next);
    if (name.endsWith(".scale")) weights.set(name, { shape, data: Float32Array.from(numbers, (x) => (x + 0.5) * 20) });
    else if (name.endsWith(".bias")) weights.set(name, { shape, data: biases(name, numbers, classes) });
    else weights.set(name, { shape, data: filters(numbers, count / shape[0]!, gainOf(name)) });
  }
  return weights;
}

function gainOf(name: string): number {
  const [, map, kind] = /^head(\d)\.(offsets|logits)\./.exec(name) ?? [];
  return map ? GAINS[Number(map)]! * (kind === "logits" ? LOGIT_GAIN : 1) : 1;
}

function biases(name: string, numbers: Float64Array, classes: number): Float32Array {
  const isBackground = (i: number): boolean => name.endsWith(".logits.bias") && i % classes === 0;
  return Float32Array.from(numbers, (x, i) => (isBackground(i) ? BACKGROUND_BIAS : (x * 2 - 1) * 0.1));
}

function filters(numbers: Float64Array, fanIn: number, gain: number): Float32Array {
  const data = new Float32Array(numbers.length);
  const spread = 2 * gain * Math.sqrt(6 / fanIn);
  for (let from = 0; from < data.length; from += fanIn) {
    let sum = 0;
    for (let i = from; i < from + fanIn; i++) sum += numbers[i]!;
    for (let i = from; i < from + fanIn; i++) data[i] = (numbers[i]! - sum / fanIn) * spread;
  }
  return data;
}
