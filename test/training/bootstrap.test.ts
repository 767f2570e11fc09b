// The paired bootstrap of AP against pycocotools' figures of sets in which images stand several times, and against all resamples of a small set.
import { describe, expect, it } from "vitest";
import { random } from "../../src/model/random.ts";
import { changeOfAp } from "../../src/training/bootstrap.ts";
import { cocoMetrics } from "../../src/training/coco-metrics.ts";
import type { DataPicture, Found } from "../../src/training/truth.ts";
import { found, truth } from "./support/truths.ts";

const CATEGORIES = [{ id: 1 }, { id: 2 }];

/** Images of up to three objects of two classes, and a model that misses some, misplaces others, and invents a few. */
function scene(count: number, seed: number): { images: DataPicture[]; detect: (skill: number) => Found[] } {
  const next = random(seed);
  const images = Array.from({ length: count }, (_, i): DataPicture => {
    const objects = Array.from({ length: 1 + Math.floor(next() * 3) }, (__, at) =>
      truth({ pictureId: i, categoryId: 1 + Math.floor(next() * 2), bbox: [at * 40, 0, 20 + next() * 10, 20] }),
    );
    return { id: i, file: `${i}.jpg`, width: 200, height: 100, objects };
  });
  const detect = (skill: number): Found[] =>
    images.flatMap(({ id: pictureId, objects }) => [
      ...objects.flatMap(({ categoryId, bbox: [x, y, w, h] }) =>
        next() < 0.3 + skill / 2
          ? [found({ pictureId, categoryId, bbox: [x + next() * 6 * (1 - skill), y, w, h], score: next() })]
          : [],
      ),
      found({ pictureId, categoryId: 1 + Math.floor(next() * 2), bbox: [150, 50, 10, 10], score: next() * 0.7 }),
    ]);
  return { images, detect };
}

/** AP of a set in which each image stands as often as `drawn` names it, judged as any other data set. */
function apOf(images: readonly DataPicture[], detections: readonly Found[], drawn: readonly number[]): number {
  const truths = drawn.flatMap((at, copy) => images[at]!.objects.map((one) => ({ ...one, pictureId: copy })));
  const all = drawn.flatMap((at, copy) =>
    detections.filter(({ pictureId }) => pictureId === images[at]!.id).map((one) => ({ ...one, pictureId: copy })),
  );
  return cocoMetrics(truths, all, [1, 2]).figures.AP;
}

describe("changeOfAp", () => {
  it("gives the change of COCO's AP on the images themselves", () => {
    const { images, detect } = scene(20, 1);
    const [before, after] = [detect(0.2), detect(0.9)];
    const { change } = changeOfAp(images, before, after, CATEGORIES, { seed: 1 });
    const all = images.map((_, i) => i);
    expect(change).toBeCloseTo(apOf(images, after, all) - apOf(images, before, all), 12);
    expect(change).toBeGreaterThan(0.1);
  });

  it("gives the change of AP50 where only that threshold is asked for", () => {
    const { images, detect } = scene(20, 1);
    const [before, after] = [detect(0.2), detect(0.9)];
    const ap50Of = (detections: readonly Found[]): number => {
      const truths = images.flatMap(({ objects }) => objects);
      return cocoMetrics(truths, detections, [1, 2]).figures.AP50;
    };
    const { change } = changeOfAp(images, before, after, CATEGORIES, { seed: 1, resamples: 200, thresholds: [0.5] });
    expect(change).toBeCloseTo(ap50Of(after) - ap50Of(before), 12);
    expect(changeOfAp(images, [], after, CATEGORIES, { seed: 1, resamples: 200 }).change).toBeGreaterThan(0.1);
  });

  it("draws from the distribution that all 256 resamples of four images have", () => {
    const { images, detect } = scene(4, 7);
    const [before, after] = [detect(0.5), detect(0.6)];
    const exact: number[] = [];
    for (let code = 0; code < 256; code++) {
      const drawn = [code & 3, (code >> 2) & 3, (code >> 4) & 3, code >> 6];
      exact.push(apOf(images, after, drawn) - apOf(images, before, drawn));
    }
    exact.sort((a, b) => a - b);
    const { low, high, notWorse } = changeOfAp(images, before, after, CATEGORIES, { seed: 3, resamples: 5000 });
    const expected = exact.filter((value) => value >= 0).length / exact.length;
    expect(expected).toBeGreaterThan(0.05);
    expect(expected).toBeLessThan(0.95);
    // Three standard errors of 5000 draws.
    expect(Math.abs(notWorse - expected)).toBeLessThan(0.021);
    // Each value of the small set has a share of 1/256 or more: the ends are among those near the exact ones.
    const near = (value: number, share: number): boolean =>
      value >= exact[Math.floor(256 * share) - 4]! - 1e-12 && value <= exact[Math.floor(256 * share) + 4]! + 1e-12;
    expect([near(low, 0.05), near(high, 0.95)]).toEqual([true, true]);
  });

  it("is sure that a model is not worse than itself, and that one which finds nothing is", () => {
    const { images, detect } = scene(15, 4);
    const detections = detect(0.8);
    const options = { seed: 5, resamples: 300 };
    const same = { change: 0, low: 0, high: 0, notWorse: 1, resamples: 300 };
    expect(changeOfAp(images, detections, detections, CATEGORIES, options)).toEqual(same);
    const worse = changeOfAp(images, detections, [], CATEGORIES, options);
    expect(worse).toMatchObject({ notWorse: 0 });
    expect(worse.high).toBeLessThan(0);
  });

  it("gives the same for the same seed, and takes fewer resamples of a large set", () => {
    const { images, detect } = scene(12, 9);
    const [before, after] = [detect(0.4), detect(0.5)];
    const run = (seed: number): unknown => changeOfAp(images, before, after, CATEGORIES, { seed });
    expect(run(2)).toEqual(run(2));
    expect(run(2)).not.toEqual(run(3));
    expect(run(2)).toMatchObject({ resamples: 1000 });
  });
});
