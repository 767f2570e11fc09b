// Stochastic gradient descent with momentum and weight decay (SSD paper, section 3), and clipping, on weights in memory.
import type { Tensor, Tensors } from "../model/weights/safetensors.ts";

export interface SgdOptions {
  readonly momentum: number;
  /** Of convolutions' weights; biases and scales of norms do not decay, as in Caffe's release. */
  readonly weightDecay: number;
  /** Longest that all gradients together may be (Euclidean); longer ones are shortened. 0: as long as they are. */
  readonly clipNorm: number;
}

/** The paper's, without clipping. */
export const PAPER_SGD: SgdOptions = { momentum: 0.9, weightDecay: 5e-4, clipNorm: 0 };

export class Sgd {
  /** What a run has to keep beside the weights, to go on as if it had never stopped. */
  readonly velocities: Tensors;
  readonly #weights: Tensors;
  readonly #options: SgdOptions;

  /** Changes `weights` in place. Velocities are those of a run that goes on, or 0. */
  constructor(weights: Tensors, options: SgdOptions, velocities?: Tensors) {
    this.#weights = weights;
    this.#options = options;
    this.velocities = new Map(
      [...weights].map(([name, { shape, data }]): [string, Tensor] => [
        name,
        { shape, data: velocities?.get(name)?.data.slice() ?? new Float32Array(data.length) },
      ]),
    );
  }

  /**
   * v = momentum * v + gradient + decay * w; w = w - rate * v. Returns the gradients' norm before clipping; where that is not a finite
   * number nothing is changed, so that the weights from before the bad batch are still there.
   */
  step(gradients: Tensors, rate: number): number {
    const norm = normOf(gradients);
    if (!Number.isFinite(norm)) return norm;
    const { momentum, weightDecay, clipNorm } = this.#options;
    const factor = clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
    for (const [name, { data }] of this.#weights) {
      const gradient = gradients.get(name)!.data;
      const velocity = this.velocities.get(name)!.data;
      const decay = name.endsWith(".weight") ? weightDecay : 0;
      for (let i = 0; i < data.length; i++) {
        const moved = momentum * velocity[i]! + factor * gradient[i]! + decay * data[i]!;
        velocity[i] = moved;
        data[i]! -= rate * moved;
      }
    }
    return norm;
  }
}

function normOf(gradients: Tensors): number {
  let sum = 0;
  for (const { data } of gradients.values()) for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return Math.sqrt(sum);
}
