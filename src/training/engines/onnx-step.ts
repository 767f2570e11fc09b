// Gradients by ONNX Runtime: a batch goes forward and back a few pictures at a time, the loss in between is our own.
import { availableParallelism } from "node:os";
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import { importOnnxRuntime } from "../../model/engines/onnx-runtime.ts";
import { elementCount, type Tensors } from "../../model/weights/safetensors.ts";
import { shapeOf, type TrainingPlan } from "../backward/plan.ts";
import type { Loss } from "../loss.ts";
import { channelBlock } from "./channel-block.ts";
import { GradientSum } from "./gradient-sum.ts";
import { OnnxWay } from "./onnx-way.ts";
import { trainedWeights } from "./trained-weights.ts";
import type { TrainEngine, TrainEngineOptions } from "./train-engine.ts";

/** Numbers that are kept for the way back at once, 440 MB: more pictures share the work on the weights (bench/README.md). */
const KEPT_NUMBERS = 110e6;
const MOST_PICTURES = 8;

export interface OnnxTrainOptions extends TrainEngineOptions {
  /** Pictures that go through the network at once; by the size of what is kept of each when absent. */
  readonly part?: number | undefined;
}

/** Opens `onnx:cpu` for training. Fails with ENGINE_MISSING. */
export async function openOnnxTraining(
  plan: TrainingPlan,
  initial: Tensors,
  { given, loss, threads, cacheDir, part = partOf(plan) }: OnnxTrainOptions,
): Promise<TrainEngine> {
  const ort = await importOnnxRuntime(cacheDir);
  const intraOpNumThreads = threads || availableParallelism();
  const weights = trainedWeights(plan, initial);
  const sum = new GradientSum(weights);
  const session = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Threads that spin while they wait take the cores from what decodes the next batch.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
    logSeverityLevel: 3,
  } as const;
  const options = {
    ort,
    session,
    plan,
    initial,
    weights,
    results: sum.part,
    given,
    loss,
    block: await channelBlock(ort),
  };
  const ways = new Map<number, OnnxWay>();
  let closed = false;

  /** The last part of a batch may be smaller, and has sessions of its own. */
  const wayOf = async (pictures: number): Promise<OnnxWay> => {
    const way = ways.get(pictures) ?? (await OnnxWay.open(options, pictures));
    ways.set(pictures, way);
    return way;
  };

  return {
    description: `onnx:cpu, ${countOf(intraOpNumThreads, "thread")}`,
    weights,
    async gradients(batch) {
      if (closed)
        throw new MultiboxError("ENGINE_CLOSED", "The engine onnx:cpu was asked to train after it was closed.");
      const matched = batch.targets.reduce((total, one) => total + one.matched, 0);
      const losses: Loss[] = [];
      sum.clear();
      for (let from = 0; from < batch.targets.length; from += part) {
        if (from > 0) sum.keep();
        const way = await wayOf(Math.min(part, batch.targets.length - from));
        losses.push(await way.run(batch, from, matched));
      }
      const over = (key: keyof Loss): number => losses.reduce((total, one) => total + one[key], 0);
      return {
        loss: { box: over("box"), class: over("class"), matched, negatives: over("negatives") },
        gradients: sum.total(),
      };
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const way of ways.values()) await way.close();
    },
  };
}

function partOf({ graph, kept }: TrainingPlan): number {
  const each = kept.reduce((total, name) => total + elementCount(shapeOf(graph, name)), 0);
  return Math.max(1, Math.min(MOST_PICTURES, Math.floor(KEPT_NUMBERS / each)));
}
