// The weights that learn, in memory of their own.
import type { Tensor, Tensors } from "../../model/weights/safetensors.ts";
import type { TrainingPlan } from "../backward/plan.ts";

/** Copies, so that what a training starts from stays as it is. */
export function trainedWeights({ trained }: TrainingPlan, initial: Tensors): Map<string, Tensor> {
  return new Map(
    trained.map((name) => {
      const { shape, data } = initial.get(name)!;
      return [name, { shape, data: Float32Array.from(data) }];
    }),
  );
}
