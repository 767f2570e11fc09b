// Weights for a network that nobody has trained, such that values neither fade nor explode on their way through it.
import { type Graph, weightShapes } from "../../../src/model/graph.ts";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { random } from "../../../src/model/random.ts";

/** He et al.'s spread (ICCV 2015) for convolutions, small biases, and 20 for the scales of norms (SSD paper, section 3.1). */
export function randomWeights(graph: Graph, seed: number): Tensors {
  const next = random(seed);
  const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of weightShapes(graph)) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // A uniform distribution of this half width has the variance 2 / fan-in.
    const reach = shape.length === 4 ? Math.sqrt(6 / (shape[1]! * shape[2]! * shape[3]!)) : 0.1;
    for (let i = 0; i < data.length; i++) data[i] = name.endsWith(".scale") ? 20 : (next() * 2 - 1) * reach;
    weights.set(name, { shape, data });
  }
  return weights;
}
