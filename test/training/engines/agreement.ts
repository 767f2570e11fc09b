// Whole networks: the gradients of onnx:cpu are those that TensorFlow.js finds by itself.
import { describe, expect, test } from "vitest";
import { planTraining } from "../../../src/training/backward/plan.ts";
import { openOnnxTraining } from "../../../src/training/engines/onnx-step.ts";
import { openTfjsTraining, type TfjsTrainEngine } from "../../../src/training/engines/tfjs-step.ts";
import type { TrainEngine } from "../../../src/training/engines/train-engine.ts";
import { PAPER_LOSS } from "../../../src/training/loss.ts";
import { testCacheDir } from "../../support/model.ts";
import { drawnBatch, type TrainingCase } from "../support/training-cases.ts";

/** Distance of two lists of numbers in shares of the second's Euclidean length; 0 where both are all 0, as of a head that no truth met. */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
  const length = (values: Iterable<number>): number => Math.sqrt([...values].reduce((sum, x) => sum + x * x, 0));
  const apart = length(a.map((value, i) => value - b[i]!));
  return apart === 0 ? 0 : apart / length(b);
}

/** The suite for one engine and network. */
export function describeGradients(
  name: TfjsTrainEngine,
  title: string,
  make: () => TrainingCase,
  missing?: string,
): void {
  const why = missing === undefined ? "" : ` (${missing})`;
  describe.skipIf(missing !== undefined)(`gradients of ${title} on onnx:cpu and ${name}${why}`, () => {
    test("loss and gradients of a batch agree, each tensor's to 1e-3", async () => {
      const { spec, graph, weights } = make();
      const plan = planTraining(graph);
      const options = {
        given: "pictures" as const,
        // All negatives: of losses that are nearly equal two engines would mine others.
        loss: { ...PAPER_LOSS, negativesPerMatch: Infinity, scores: spec.scores },
        threads: 0,
        cacheDir: testCacheDir(),
      };
      const batch = drawnBatch(spec, 3, 12);
      const engines: TrainEngine[] = [];
      try {
        engines.push(await openOnnxTraining(plan, weights, { ...options, part: 2 }));
        engines.push(await openTfjsTraining(name, plan, weights, options));
        const [ours, theirs] = [await engines[0]!.gradients(batch), await engines[1]!.gradients(batch)];
        expect(ours.loss.matched).toBeGreaterThan(5);
        expect(ours.loss).toMatchObject({ matched: theirs.loss.matched, negatives: theirs.loss.negatives });
        expect(ours.loss.box / theirs.loss.box).toBeCloseTo(1, 4);
        expect(ours.loss.class / theirs.loss.class).toBeCloseTo(1, 4);
        const apart = new Map(
          [...ours.gradients].map(([weight, { data }]) => {
            return [weight, relativeDistance(data, theirs.gradients.get(weight)!.data)] as const;
          }),
        );
        expect(apart.size).toBe(plan.trained.length);
        expect([...apart].filter(([, distance]) => !(distance < 1e-3))).toEqual([]);
      } finally {
        for (const engine of engines) await engine.close();
      }
    });
  });
}
