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
      const decay = name.endsWith(".weight") ? weightDecay : 0;
      move(data, this.velocities.get(name)!.data, gradients.get(name)!.data, { momentum, factor, decay, rate });
    }
    return norm;
  }
}

interface Move {
  readonly momentum: number;
  readonly factor: number;
  readonly decay: number;
  readonly rate: number;
}

/** One tensor's. Functions of their own, and four numbers a turn, take half the time or less: millions of numbers move at each step. */
function move(
  data: Float32Array,
  velocity: Float32Array,
  gradient: Float32Array,
  { momentum, factor, decay, rate }: Move,
): void {
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const [a, b, c, d] = [data[i]!, data[i + 1]!, data[i + 2]!, data[i + 3]!];
    const movedA = momentum * velocity[i]! + factor * gradient[i]! + decay * a;
    const movedB = momentum * velocity[i + 1]! + factor * gradient[i + 1]! + decay * b;
    const movedC = momentum * velocity[i + 2]! + factor * gradient[i + 2]! + decay * c;
    const movedD = momentum * velocity[i + 3]! + factor * gradient[i + 3]! + decay * d;
    velocity[i] = movedA;
    velocity[i + 1] = movedB;
    velocity[i + 2] = movedC;
    velocity[i + 3] = movedD;
    data[i] = a - rate * movedA;
    data[i + 1] = b - rate * movedB;
    data[i + 2] = c - rate * movedC;
    data[i + 3] = d - rate * movedD;
  }
  for (let i = whole; i < data.length; i++) {
    const moved = momentum * velocity[i]! + factor * gradient[i]! + decay * data[i]!;
    velocity[i] = moved;
    data[i]! -= rate * moved;
  }
}

function normOf(gradients: Tensors): number {
  let sum = 0;
  for (const { data } of gradients.values()) sum += squares(data);
  return Math.sqrt(sum);
}

/** Their sum, in four parts that do not wait for one another. */
function squares(data: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * data[i]!;
    b += data[i + 1]! * data[i + 1]!;
    c += data[i + 2]! * data[i + 2]!;
    d += data[i + 3]! * data[i + 3]!;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * data[i]!;
  return a + b + c + d;
}
