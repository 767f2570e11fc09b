// Adds up the gradients of the parts of a batch.
import type { Tensor, Tensors } from "../../model/weights/safetensors.ts";

export class GradientSum {
  /** Where the gradients of a part are written to. */
  readonly part: Tensors;
  readonly total: Tensors;
  #parts = 0;

  /** As large as the weights are. */
  constructor(weights: Tensors) {
    const zeros = (): Map<string, Tensor> =>
      new Map([...weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]));
    this.part = zeros();
    this.total = zeros();
  }

  clear(): void {
    this.#parts = 0;
  }

  add(): void {
    this.#parts += 1;
    for (const [name, { data }] of this.part) {
      const sum = this.total.get(name)!.data;
      if (this.#parts === 1) sum.set(data);
      else for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
    }
  }
}
