// COCO's twelve figures: those that pycocotools gives, those that were published, and small cases that can be counted by hand.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cocoMetrics } from "../../src/training/coco-metrics.ts";
import { testData } from "../support/model.ts";
import { type CocoResult, type CocoTruth, foundOf, idsOf, truthsOf } from "./support/coco-json.ts";
import { found, truth } from "./support/truths.ts";

const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8")) as unknown;

interface Golden {
  readonly truth: CocoTruth;
  readonly found: CocoResult[];
  readonly figures: Record<string, number>;
  readonly classes: readonly { categoryId: number; AP: number; AP50: number; AR100: number }[];
}

describe("cocoMetrics", () => {
  it("says what pycocotools says of random detections with ties, crowds, doubles and a class without objects", () => {
    const golden = json(join(import.meta.dirname, "../fixtures/coco-metrics.golden.json")) as Golden;
    const { figures, classes } = cocoMetrics(truthsOf(golden.truth), foundOf(golden.found), idsOf(golden.truth));
    expect(Object.keys(figures)).toEqual(Object.keys(golden.figures));
    for (const [name, value] of Object.entries(golden.figures))
      expect([name, Math.abs(figures[name as keyof typeof figures] - value) < 1e-9]).toEqual([name, true]);
    expect(classes.map(({ categoryId }) => categoryId)).toEqual(golden.classes.map(({ categoryId }) => categoryId));
    for (const [i, { AP, AP50, AR100 }] of golden.classes.entries()) {
      expect(classes[i]!.AP).toBeCloseTo(AP, 9);
      expect(classes[i]!.AP50).toBeCloseTo(AP50, 9);
      expect(classes[i]!.AR100).toBeCloseTo(AR100, 9);
    }
  });

  const reference = testData("eval-reference/padilla");

  it.skipIf(reference === undefined)(
    "gives the published figures for a hundred pictures of COCO (needs the test data)",
    () => {
      const data = json(join(reference!, "gts/sampled_gts_bbox_area.json")) as CocoTruth;
      const results = foundOf(json(join(reference!, "cocoapi_results.json")) as CocoResult[]);
      const { figures } = cocoMetrics(truthsOf(data), results, idsOf(data));
      const expected = readFileSync(join(reference!, "expected-values.txt"), "utf8");
      const asserted = [...expected.matchAll(/abs\(res\["(\w+)"\] - ([\d.]+)\)/g)];
      expect(new Set(asserted.map(([, name]) => name))).toEqual(new Set(Object.keys(figures)));
      for (const [, name, value] of asserted) {
        const ours = figures[name as keyof typeof figures];
        expect([name, Math.abs(ours - Number(value)) < 1e-6]).toEqual([name, true]);
      }
    },
  );

  it("gives 1 for the truth itself and -1 where there is nothing to find", () => {
    const truths = [truth({ bbox: [0, 0, 10, 10] }), truth({ bbox: [100, 100, 50, 50], pictureId: 2 })];
    const { figures, classes, curves } = cocoMetrics(
      truths,
      truths.map((one) => found(one)),
      [1, 2],
    );
    // Half a unit in the last place below 1, as pycocotools has it.
    expect(rounded(figures)).toMatchObject({
      AP: 1,
      AP50: 1,
      APsmall: 1,
      APmedium: 1,
      APlarge: -1,
      AR1: 1,
      ARlarge: -1,
    });
    expect(classes.map((one) => rounded(one))).toMatchObject([
      { categoryId: 1, objects: 2, AP: 1, AR100: 1 },
      { categoryId: 2, objects: 0, AP: -1, AP50: -1, AR100: -1, precision: [] },
    ]);
    expect(curves).toHaveLength(10);
    for (const curve of curves)
      expect(curve.map((value) => value.toFixed(12))).toEqual(Array(101).fill((1).toFixed(12)));
  });

  it("gives 0 where nothing was found", () => {
    const { figures } = cocoMetrics([truth({})], [], [1]);
    expect([figures.AP, figures.AR100]).toEqual([0, 0]);
  });

  it("counts what is found within a crowd neither as right nor as wrong, however often", () => {
    const truths = [truth({ bbox: [0, 0, 10, 10] }), truth({ bbox: [20, 20, 100, 100], crowd: true })];
    const inCrowd = [30, 50, 70].map((x) => found({ bbox: [x, 30, 10, 10], score: 0.9 }));
    const right = found({ bbox: [0, 0, 10, 10], score: 0.5 });
    expect(cocoMetrics(truths, [...inCrowd, right], [1]).figures.AP).toBeCloseTo(1, 12);
    const beside = found({ bbox: [300, 300, 10, 10], score: 0.9 });
    expect(cocoMetrics(truths, [beside, right], [1]).figures.AP).toBeCloseTo(0.5, 12);
  });

  it("lets equal scores keep the order in which they are given", () => {
    const truths = [truth({ bbox: [0, 0, 10, 10] })];
    const right = found({ bbox: [0, 0, 10, 10], score: 0.5 });
    const wrong = found({ bbox: [50, 50, 10, 10], score: 0.5 });
    expect(cocoMetrics(truths, [right, wrong], [1]).figures.AP).toBeCloseTo(1, 12);
    expect(cocoMetrics(truths, [wrong, right], [1]).figures.AP).toBeCloseTo(0.5, 12);
  });

  it("takes a hundred detections of a class in a picture, the best ones", () => {
    const right = found({ bbox: [0, 0, 10, 10], score: 0.5 });
    const better = Array.from({ length: 100 }, () => found({ bbox: [50, 50, 10, 10], score: 0.9 }));
    const recall = (some: typeof better): number => cocoMetrics([truth({})], [right, ...some], [1]).figures.AR100;
    expect([recall(better.slice(1)), recall(better)]).toEqual([1, 0]);
  });
});

function rounded<T extends object>(figures: T): T {
  const round = (value: unknown): unknown => (typeof value === "number" ? Number(value.toFixed(12)) : value);
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value)])) as T;
}
