// Which epoch a model is of, by epochs whose detections are written down.
import { expect, test } from "vitest";
import type { Bundle } from "../../src/model/bundle.ts";
import type { Evaluation } from "../../src/training/evaluate.ts";
import { takenEpoch } from "../../src/training/taken-epoch.ts";
import type { Dataset, Found } from "../../src/training/truth.ts";
import { found, truth } from "./support/truths.ts";

const IMAGES = 20;
const bbox = [10, 10, 50, 50] as const;
const pictures = Array.from({ length: IMAGES }, (_, id) => {
  return { id, file: `${id}.jpg`, width: 100, height: 100, objects: [truth({ pictureId: id, categoryId: 1, bbox })] };
});
const validation = { pictures, categories: [{ id: 1, name: "cat" }] } as unknown as Dataset;

/** A model that finds the objects of the images from `from` to `to`. */
const finds = (from: number, to: number): Found[] =>
  pictures.slice(from, to).map(({ id }) => found({ pictureId: id, categoryId: 1, bbox, score: 0.9 }));

/** Of a run whose best epoch is `best` of 5. */
function taken(best: number, bestFinds: Found[], lastFinds: Found[], isComplete = true): ReturnType<typeof takenEpoch> {
  const [bestBundle, lastBundle] = [{ name: "best" }, { name: "last" }] as unknown as [Bundle, Bundle];
  const history = Array.from({ length: 6 }, (_, epoch) => ({ epoch, best: epoch === best }));
  return takenEpoch({
    trainee: { best: () => bestBundle, now: () => lastBundle, state: { history } as never },
    validation,
    judged: (bundle) =>
      Promise.resolve({ found: bundle === bestBundle ? bestFinds : lastFinds } as unknown as Evaluation),
    seed: 1,
    isComplete,
  });
}

test("the last where the best is better by chance alone, and the best where it is clearly better", async () => {
  // One more image of 20: in a third of the resamples that image is not drawn.
  const close = await taken(2, finds(0, 15), finds(0, 14));
  expect([close.epoch, close.bundle, close.evaluation.found.length]).toEqual([5, { name: "last" }, 14]);
  const clear = await taken(2, finds(0, 15), finds(0, 8));
  expect([clear.epoch, clear.bundle, clear.evaluation.found.length]).toEqual([2, { name: "best" }, 15]);
});

test("the start where no epoch was better, whatever the last one is", async () => {
  expect((await taken(0, finds(0, 15), finds(0, 15))).epoch).toBe(0);
  expect((await taken(5, finds(0, 15), finds(0, 1))).epoch).toBe(5);
});

test("the best of a run that ended early, or whose learning rate never fell", async () => {
  expect((await taken(2, finds(0, 15), finds(0, 14), false)).epoch).toBe(2);
});
