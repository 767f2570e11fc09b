// Gradients by TensorFlow.js: the network differentiates itself, and begins with the gradient of our own loss.
import type * as Tf from "@tensorflow/tfjs-core";
import { MultiboxError } from "../../errors.ts";
import type { Tfjs } from "../../model/compile/tfjs.ts";
import { setTensorFlowVariables } from "../../model/engines/prepare.ts";
import { loadTensorFlow, loadWasmWithGradients } from "../../model/engines/tfjs-load.ts";
import { inputShape } from "../../model/graph.ts";
import type { Tensor, Tensors } from "../../model/weights/safetensors.ts";
import { shapeOf, type TrainingPlan } from "../backward/plan.ts";
import { type Loss, ssdLoss } from "../loss.ts";
import { trainableNetwork } from "./tfjs-network.ts";
import { trainedWeights } from "./trained-weights.ts";
import type { TrainBatch, TrainEngine, TrainEngineOptions } from "./train-engine.ts";

export type TfjsTrainEngine = "tfjs:gpu" | "tfjs:cpu" | "tfjs:wasm";

/** Opens one of TensorFlow.js's backends for training. Fails with ENGINE_MISSING. */
export async function openTfjsTraining(
  name: TfjsTrainEngine,
  plan: TrainingPlan,
  initial: Tensors,
  options: TrainEngineOptions,
): Promise<TrainEngine> {
  const tf = load(name, options);
  const native = name !== "tfjs:wasm";
  const backend = native ? "tensorflow" : "wasm";
  while (tf.getBackend() !== backend) await tf.setBackend(backend);
  const weights = trainedWeights(plan, initial);
  const frozen = [...initial].filter(([weight]) => !weights.has(weight));
  const constants = new Map(frozen.map(([weight, tensor]) => [weight, toTensor(tf, tensor)]));
  const gradients = trainedWeights(plan, initial);
  let closed = false;

  /** The gradients, and what the loss was; everything else that is made on the way is let go of. */
  const differentiate = (batch: TrainBatch): Loss => {
    let loss: Loss | undefined;
    const count = batch.targets.length;
    tf.tidy(() => {
      const given = givenTensors(tf, plan, batch, count);
      // The heads come out of the backend for our loss, which is the same for all engines, and its gradient goes in.
      const objective = tf.customGrad((...inputs) => {
        const [offsets, logits] = inputs as Tf.Tensor[] as [Tf.Tensor3D, Tf.Tensor3D];
        const heads = { offsets: offsets.dataSync<"float32">(), logits: logits.dataSync<"float32">() };
        const gradient = {
          offsets: new Float32Array(heads.offsets.length),
          logits: new Float32Array(heads.logits.length),
        };
        loss = ssdLoss(heads, batch.targets, gradient, options.loss);
        const gradFunc = (): Tf.Tensor[] => [
          tf.tensor3d(gradient.offsets, offsets.shape),
          tf.tensor3d(gradient.logits, logits.shape),
        ];
        return { value: tf.scalar(loss.box + loss.class), gradFunc };
      });
      const names = [...weights.keys()];
      const learn = (...values: Tf.Tensor[]): Tf.Scalar => {
        const all = new Map([...constants, ...names.map((weight, i) => [weight, values[i]!] as const)]);
        const { offsets, logits } = trainableNetwork(tf, plan.graph, all, given, native);
        return objective(offsets, logits);
      };
      const towards = tf.grads(learn)(names.map((weight) => toTensor(tf, weights.get(weight)!)));
      for (const [i, weight] of names.entries()) gradients.get(weight)!.data.set(towards[i]!.dataSync<"float32">());
    });
    return loss!;
  };

  return {
    description: name,
    weights,
    async gradients(batch) {
      while (tf.getBackend() !== backend) await tf.setBackend(backend);
      if (closed)
        throw new MultiboxError("ENGINE_CLOSED", `The engine ${name} was asked to train after it was closed.`);
      return { loss: differentiate(batch), gradients };
    },
    async close() {
      if (!closed) tf.dispose([...constants.values()]);
      closed = true;
    },
  };
}

function load(name: TfjsTrainEngine, { threads, cacheDir }: TrainEngineOptions): Tfjs {
  if (name === "tfjs:wasm") return loadWasmWithGradients();
  setTensorFlowVariables(name, { threads, cacheDir });
  const { tf, usesGpu } = loadTensorFlow(cacheDir);
  if (usesGpu === (name === "tfjs:gpu")) return tf;
  throw new MultiboxError(
    "ENGINE_MISSING",
    usesGpu ? "TensorFlow uses the GPU in this process, so there is no engine tfjs:cpu." : "TensorFlow found no GPU.",
    usesGpu ? "Use tfjs:gpu, or set CUDA_VISIBLE_DEVICES=-1 in the environment." : "Use onnx:cpu or tfjs:cpu.",
  );
}

function toTensor(tf: Tfjs, { shape, data }: Tensor): Tf.Tensor {
  return tf.tensor(data, [...shape]);
}

/** Pictures as floats, or features with their channels last. */
function givenTensors(tf: Tfjs, plan: TrainingPlan, { inputs }: TrainBatch, count: number): Map<string, Tf.Tensor> {
  const [, height, width] = inputShape(plan.graph);
  return new Map(
    [...inputs].map(([name, data]) => {
      if (name === "pictures") return [name, tf.tensor4d(Float32Array.from(data), [count, height, width, 3])];
      const [channels, rows, columns] = shapeOf(plan.graph, name);
      const planes = tf.tensor4d(data as Float32Array, [count, channels, rows, columns]);
      return [name, tf.transpose(planes, [0, 2, 3, 1])];
    }),
  );
}
