// An exponential moving average of the weights that learn: steadier than the last step's.
import type { Tensor, Tensors } from "../model/weights/safetensors.ts";

export class MovingAverage {
  readonly weights: Tensors;
  readonly #decay: number;

  /** Begins with a copy of the weights, or with what an earlier run had. */
  constructor(weights: Tensors, decay: number, earlier?: Tensors) {
    this.#decay = decay;
    this.weights = new Map(
      [...weights].map(([name, { shape, data }]): [string, Tensor] => [
        name,
        { shape, data: Float32Array.from(earlier?.get(name)?.data ?? data) },
      ]),
    );
  }

  /** After step `step`, which counts from 1. The first steps count more, so that the start is soon forgotten. */
  add(weights: Tensors, step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    for (const [name, { data }] of this.weights) {
      const now = weights.get(name)!.data;
      for (let i = 0; i < data.length; i++) data[i]! += (1 - decay) * (now[i]! - data[i]!);
    }
  }
}
