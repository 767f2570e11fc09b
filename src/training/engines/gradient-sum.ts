// Adds up the gradients of the parts of a batch.
import type { Tensor, Tensors } from "../../model/weights/safetensors.ts";

export class GradientSum {
  /** Where the gradients of a part are written to. */
  readonly part: Tensors;
  readonly #sum: Tensors;
  #kept = 0;

  /** As large as the weights are. */
  constructor(weights: Tensors) {
    const zeros = (): Map<string, Tensor> =>
      new Map([...weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]));
    this.part = zeros();
    this.#sum = zeros();
  }

  clear(): void {
    this.#kept = 0;
  }

  /** Adds the last part to those before, so that another one may be written. */
  keep(): void {
    this.#kept += 1;
    for (const [name, { data }] of this.part) {
      const sum = this.#sum.get(name)!.data;
      if (this.#kept === 1) sum.set(data);
      else for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
    }
  }

  /** Of the last part and those that were kept. A batch that is one part is not copied: that would be a fiftieth of a step. */
  total(): Tensors {
    if (this.#kept === 0) return this.part;
    this.keep();
    return this.#sum;
  }
}
