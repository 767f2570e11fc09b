// Runs the two models of a training plan on one batch, with a given gradient towards the answers.
import * as ort from "onnxruntime-node";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { gradientName } from "../../../src/training/backward/node-gradients.ts";
import type { PartsOptions } from "../../../src/training/backward/parts.ts";
import type { TrainingPlan } from "../../../src/training/backward/plan.ts";
import { backwardModel, forwardModel, type TrainingModel } from "../../../src/training/backward/training-models.ts";

/** Gradients of sum(answers * towards) by the names of the weights, and the answers. */
export async function runModels(
  plan: TrainingPlan,
  weights: Tensors,
  pictures: Uint8Array,
  batch: number,
  towards: { readonly offsets: Float32Array; readonly logits: Float32Array },
  options?: PartsOptions,
): Promise<{ gradients: Map<string, Float32Array>; offsets: Float32Array; logits: Float32Array }> {
  const { offsets, logits } = plan.graph;
  const forward = forwardModel(plan, weights, "pictures", batch, options?.block);
  const backward = backwardModel(plan, weights, forward, batch, options);
  const values = new Map<string, Uint8Array | Float32Array>([
    ["pictures", pictures],
    [gradientName(offsets), towards.offsets],
    [gradientName(logits), towards.logits],
    ...plan.trained.map((name) => [name, weights.get(name)!.data] as const),
  ]);
  for (const model of [forward, backward])
    for (const [name, data] of Object.entries(await run(model, values))) values.set(name, data);
  const gradients = plan.trained.map((name) => [name, values.get(gradientName(name)) as Float32Array] as const);
  return {
    gradients: new Map(gradients),
    offsets: values.get(offsets) as Float32Array,
    logits: values.get(logits) as Float32Array,
  };
}

async function run(
  { bytes, inputs }: TrainingModel,
  values: ReadonlyMap<string, Uint8Array | Float32Array>,
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    const feeds = [...inputs].map(([name, shape]) => {
      const data = values.get(name)!;
      const tensor =
        data instanceof Uint8Array ? new ort.Tensor("uint8", data, shape) : new ort.Tensor("float32", data, shape);
      return [name, tensor] as const;
    });
    const outputs = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.release();
  }
}
