// Whole networks to train, with pictures and truths that a seed draws.
import { defaultBoxes } from "../../../src/model/default-boxes.ts";
import { type Graph, weightShapes } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { random } from "../../../src/model/random.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { elementCount, type Tensor, type Tensors } from "../../../src/model/weights/safetensors.ts";
import type { TrainBatch } from "../../../src/training/engines/train-engine.ts";
import { Matcher, type Target } from "../../../src/training/match.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { smallVggGraph } from "../../model/support/small-vgg.ts";

export interface TrainingCase {
  readonly spec: SsdSpec;
  readonly graph: Graph;
  readonly weights: Tensors;
}

/** All layers of SSDLite, on pictures of 96 x 96. */
export function smallSsdLite(): TrainingCase {
  // Faint pictures: all activations stay about what the biases say, and none is cut by rounding alone.
  const small = smallSpec();
  const spec = { ...small, input: { ...small.input, scale: 1 / 1000 } };
  const graph = buildSsd(spec);
  return { spec, graph, weights: steadyWeights(graph, 5) };
}

/** All layers of SSD on VGG16, on pictures of 140 x 140. */
export function smallVgg(): TrainingCase {
  const { spec, graph } = smallVggGraph();
  return { spec, graph, weights: steadyWeights(graph, 6) };
}

/**
 * Weights under which activations are either well within their limits or well beyond them: where one is cut only by rounding, as happens
 * among millions, the gradients of two correct programs differ. Filters add up to zero, so that features neither fade nor grow; of
 * ten channels one is always below 0, and one always above 6.
 */
export function steadyWeights(graph: Graph, seed: number): Tensors {
  const next = random(seed);
  const shapes = weightShapes(graph);
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    const data = new Float32Array(elementCount(shape));
    if (name.endsWith(".scale")) data.fill(20);
    else if (name.endsWith(".bias"))
      for (let i = 0; i < data.length; i++) data[i] = i % 10 === 3 ? -9 : i % 10 === 7 ? 15 : 3;
    else {
      const fan = data.length / shape[0]!;
      // A spread of one, whatever the number of inputs; pixels and what is cut to 6 make it less.
      const reach = Math.sqrt(3 / fan);
      for (let from = 0; from < data.length; from += fan) {
        const drawn = Array.from({ length: fan }, () => (next() * 2 - 1) * reach);
        const mean = drawn.reduce((sum, value) => sum + value, 0) / fan;
        data.set(
          drawn.map((value) => value - mean),
          from,
        );
      }
    }
    weights.set(name, { shape, data });
  }
  // The heads answer as untrained ones do, about nothing.
  for (const [name, tensor] of weights) {
    if (/^head\d\.\w+(\.project)?\.bias$/.test(name)) weights.set(name, { ...tensor, data: tensor.data.map(() => 0) });
  }
  return weights;
}

/** Noise, a few objects on each picture but the last, which has none. */
export function drawnBatch({ input, variances, labels, ...rest }: SsdSpec, count: number, seed: number): TrainBatch {
  const next = random(seed);
  const matcher = new Matcher(defaultBoxes({ input, variances, labels, ...rest }), variances);
  const pictures = Uint8Array.from({ length: count * input.width * input.height * 3 }, () => next() * 256);
  const targets = Array.from({ length: count }, (_, n) => {
    const objects = Array.from({ length: n === count - 1 ? 0 : 5 }, (): Target => {
      const [width, height] = [0.1 + next() * 0.85, 0.1 + next() * 0.85];
      const box = [width / 2 + next() * (1 - width), height / 2 + next() * (1 - height), width, height] as const;
      return { box, label: 1 + Math.floor(next() * (labels.length - 1)) };
    });
    return matcher.targetsOf(objects);
  });
  return { inputs: new Map([["pictures", pictures]]), targets };
}
