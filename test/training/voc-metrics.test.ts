// PASCAL VOC's two average precisions: published values, and cases that can be counted by hand.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { vocMetrics } from "../../src/training/voc-metrics.ts";
import { testData } from "../support/model.ts";
import { found, truth } from "./support/truths.ts";

const reference = testData("eval-reference");

/** Lines of `class [score] left top width height`, whose boxes include the pixel at left + width. */
function readBoxes(folder: string): { pictureId: number; numbers: number[] }[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      const lines = readFileSync(join(folder, file), "utf8").trim().split("\n");
      return lines.map((line) => ({
        pictureId: parseInt(file),
        numbers: line.trim().split(/\s+/).slice(1).map(Number),
      }));
    });
}

const inclusive = ([x, y, width, height]: readonly number[]): [number, number, number, number] => [
  x!,
  y!,
  width! + 1,
  height! + 1,
];

describe.skipIf(reference === undefined)("vocMetrics on the published example (needs the test data)", () => {
  const text = reference === undefined ? "" : readFileSync(join(reference, "padilla/expected-values.txt"), "utf8");
  const tables = [...text.matchAll(/'object': \{([^}]+)\}/g)].map(([, table]) =>
    table!.split(",").map((entry) => entry.split(":").map(Number) as [number, number]),
  );
  const cases = (tables[0] ?? []).map(([iou, eleven], i) => [iou, eleven, tables[1]![i]![1]] as const);

  it("has expected values at four overlaps for both methods", () => {
    expect(cases.map(([iou]) => iou)).toEqual([0.1, 0.3, 0.5, 0.75]);
  });

  it.each(cases)("at IoU %f is %f at eleven points and %f as an area", (iouThreshold, eleven, area) => {
    const truths = readBoxes(join(reference!, "padilla-case1/gts")).map(({ pictureId, numbers }) =>
      truth({ pictureId, bbox: inclusive(numbers) }),
    );
    const detections = readBoxes(join(reference!, "padilla-case1/dets")).map(
      ({ pictureId, numbers: [score, ...box] }) => found({ pictureId, score: score!, bbox: inclusive(box) }),
    );
    expect([truths.length, detections.length]).toEqual([15, 24]);
    const { figures } = vocMetrics(truths, detections, [1], { iouThreshold });
    expect(Math.abs(figures.mAP2007 - eleven)).toBeLessThan(1e-6);
    expect(Math.abs(figures.mAP2010 - area)).toBeLessThan(1e-6);
  });
});

describe("vocMetrics", () => {
  const far = (score: number): ReturnType<typeof found> => found({ bbox: [200, 200, 10, 10], score });

  it("gives 1 for the truth itself, and -1 to a class without objects, which no mean has", () => {
    const { figures, classes } = vocMetrics([truth({})], [found({}), found({ categoryId: 2 })], [1, 2]);
    expect(figures).toEqual({ mAP2007: 1, mAP2010: 1 });
    expect(classes).toMatchObject([
      { objects: 1, AP2010: 1 },
      { objects: 0, AP2007: -1, AP2010: -1, recall: [] },
    ]);
    expect(vocMetrics([], [], [1]).figures).toEqual({ mAP2007: -1, mAP2010: -1 });
  });

  it("reads the curve as either challenge did", () => {
    // Right, wrong, right of two objects: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    const truths = [truth({}), truth({ bbox: [50, 50, 10, 10] })];
    const detections = [found({ score: 0.9 }), far(0.8), found({ bbox: [50, 50, 10, 10], score: 0.7 })];
    const { classes } = vocMetrics(truths, detections, [1]);
    expect(classes[0]!.recall).toEqual([0.5, 0.5, 1]);
    expect(classes[0]!.precision).toEqual([1, 0.5, 2 / 3]);
    expect(classes[0]!.AP2007).toBeCloseTo((6 * 1 + 5 * (2 / 3)) / 11, 12);
    expect(classes[0]!.AP2010).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 12);
  });

  it("counts a second detection of one object as wrong", () => {
    const { classes } = vocMetrics([truth({})], [found({ score: 0.9 }), found({ score: 0.8 })], [1]);
    expect(classes[0]!.precision).toEqual([1, 0.5]);
  });

  it("does not ask for difficult objects, nor blames who finds them, unless told to", () => {
    const truths = [truth({}), truth({ bbox: [50, 50, 10, 10], difficult: true })];
    const detections = [found({ bbox: [50, 50, 10, 10], score: 0.9 }), found({ score: 0.8 })];
    expect(vocMetrics(truths, detections, [1]).classes[0]).toMatchObject({ objects: 1, precision: [1], AP2010: 1 });
    expect(vocMetrics(truths, detections, [1], { countDifficult: true }).classes[0]).toMatchObject({
      objects: 2,
      precision: [1, 1],
    });
    expect(vocMetrics(truths, [], [1], { countDifficult: true }).figures.mAP2010).toBe(0);
  });

  it("takes an overlap of exactly the threshold as right", () => {
    const half = found({ bbox: [0, 0, 10, 5] });
    expect(vocMetrics([truth({})], [half], [1]).figures.mAP2010).toBe(1);
    expect(vocMetrics([truth({})], [half], [1], { iouThreshold: 0.51 }).figures.mAP2010).toBe(0);
  });
});
