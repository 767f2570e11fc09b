// Labels that the model keeps and nobody has marked: what an unmarked place is trained to be, and which labels these are.
import { describe, expect, test } from "vitest";
import { random } from "../../src/model/random.ts";
import { nearest } from "../../src/model/nearest-name.ts";
import { type Heads, type LossOptions, PAPER_LOSS, ssdLoss } from "../../src/training/loss.ts";
import type { PictureTargets } from "../../src/training/match.ts";
import { unlabelledColumns } from "../../src/training/unlabelled-labels.ts";

/** Background, two labels of the data, two that nobody has marked. */
const unlabelled = Uint8Array.of(0, 0, 1, 0, 1);
const CLASSES = unlabelled.length;
const softmax: LossOptions = { ...PAPER_LOSS, scores: "softmax", unlabelled };
const sigmoid: LossOptions = { ...PAPER_LOSS, scores: "sigmoid", unlabelled };

function targetsOf(labels: number[]): PictureTargets {
  const matched = labels.filter((label) => label > 0).length;
  return { labels: Int32Array.from(labels), offsets: new Float32Array(labels.length * 4), matched };
}

function run(logits: readonly number[], labels: number[], options: LossOptions): Run {
  const heads = { offsets: new Float64Array(labels.length * 4), logits: Float64Array.from(logits) };
  const gradient = { offsets: new Float64Array(labels.length * 4), logits: new Float64Array(logits.length).fill(9) };
  return { ...ssdLoss(heads, [targetsOf(labels)], gradient, options), gradient };
}
type Run = ReturnType<typeof ssdLoss> & { readonly gradient: Heads };

/** A matched box whose loss is known: all logits 0. */
const MATCHED = [0, 0, 0, 0, 0];

describe("the loss of a box without an object", () => {
  test("softmax: -log of the probability of the background or an unlabelled label", () => {
    const row = [0.3, -1, 1.7, 0.4, -0.2];
    const sum = (columns: number[]): number => columns.reduce((total, c) => total + Math.exp(row[c]!), 0);
    const { class: loss, gradient } = run([...MATCHED, ...row], [1, 0], softmax);
    expect(loss).toBeCloseTo(Math.log(5) + Math.log(sum([0, 1, 2, 3, 4])) - Math.log(sum([0, 2, 4])), 12);
    // No score of an unlabelled label is lowered.
    expect(gradient.logits[5 + 2]).toBeLessThan(0);
    expect(gradient.logits[5 + 4]).toBeLessThan(0);
  });

  test("sigmoid: unlabelled labels have no term and no gradient, and what they explain is no hard negative", () => {
    const row = [-1, 0.5, 2, -0.3, -4];
    const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
    const none = (1 - sigma(2)) * (1 - sigma(-4));
    const expected = -Math.log(1 - (1 - sigma(-1)) * none) - Math.log(1 - sigma(0.5)) - Math.log(1 - sigma(-0.3));
    const { class: loss, gradient } = run([...MATCHED, ...row], [1, 0], sigmoid);
    expect(loss).toBeCloseTo(5 * Math.log(2) + expected, 12);
    expect([gradient.logits[5 + 2], gradient.logits[5 + 4]]).toEqual([0, 0]);

    // A certain object of an unlabelled label beside a doubtful background: with one negative, the doubtful one is chosen.
    const certain = [-6, -6, 6, -6, -6];
    const doubtful = [0.5, -6, -6, -6, -6];
    const rows = [...MATCHED, ...certain, ...doubtful];
    const mined = run(rows, [1, 0, 0], { ...sigmoid, negativesPerMatch: 1 }).gradient.logits;
    expect([...mined.subarray(5, 10)]).toEqual([0, 0, 0, 0, 0]);
    expect(mined[10]).toBeLessThan(0);
    const asBackground = { ...sigmoid, unlabelled: undefined, negativesPerMatch: 1 };
    expect(run(rows, [1, 0, 0], asBackground).gradient.logits[7]).toBeGreaterThan(0.9);
  });

  test.each([softmax, sigmoid])(
    "$scores: an object of a labelled label still lowers the unlabelled ones",
    (options) => {
      const { gradient } = run([0, 1, 2, -1, 0.5], [1], options);
      expect(gradient.logits[2]).toBeGreaterThan(0);
      expect(run([0, 1, 2, -1, 0.5], [1], { ...options, unlabelled: undefined }).gradient).toEqual(gradient);
    },
  );

  test.each([softmax, sigmoid])(
    "$scores: large logits stay finite, a logit that is not a number does not",
    (options) => {
      for (const row of [
        [-5000, 5000, -5000, 0, 0],
        [5000, -5000, 5000, 0, 5000],
        [-5000, 5000, -5000, 5000, -5000],
      ]) {
        const { class: loss, gradient } = run([...MATCHED, ...row], [1, 0], options);
        expect(Number.isFinite(loss)).toBe(true);
        expect([...gradient.logits].every(Number.isFinite)).toBe(true);
      }
      const { class: loss } = run([...MATCHED, -5000, 0, -5000, 0, -5000], [1, 0], options);
      expect(loss).toBeGreaterThan(4900);
      expect(run([...MATCHED, 0, Number.NaN, 0, 0, 0], [1, 0], options).class).toBeNaN();
      expect(run([...MATCHED, 0, 0, Number.NaN, 0, 0], [1, 0], options).class).toBeNaN();
    },
  );

  test.each([softmax, { ...sigmoid, leastNegatives: 2 }, { ...softmax, kinds: Int32Array.of(0, 1, 2, 1, 4) }])(
    "$scores: the gradient is that of differences, of unlabelled labels with a sigmoid 0",
    (options) => {
      const next = random(5);
      const boxes = 40;
      const logits = Float64Array.from({ length: boxes * CLASSES }, () => (next() * 2 - 1) * 4);
      const labels = Array.from({ length: boxes }, () => (next() < 0.2 ? 1 : 0));
      const offsets = new Float64Array(boxes * 4);
      const gradient = { offsets: offsets.slice(), logits: logits.slice() };
      const unused = { offsets: offsets.slice(), logits: logits.slice() };
      const targets = [targetsOf(labels)];
      ssdLoss({ offsets, logits }, targets, gradient, options);
      const at = (i: number, value: number): number => {
        const moved = { offsets, logits: logits.with(i, value) };
        return ssdLoss(moved, targets, unused, options).class;
      };
      for (const [i, value] of logits.entries()) {
        const difference = (at(i, value + 1e-6) - at(i, value - 1e-6)) / 2e-6;
        const isHeld =
          options.scores === "sigmoid" && unlabelled[i % CLASSES] === 1 && labels[Math.floor(i / CLASSES)] === 0;
        expect(Math.abs(gradient.logits[i]! - (isHeld ? 0 : difference))).toBeLessThan(1e-7);
      }
    },
  );
});

describe("unlabelledColumns", () => {
  test("are the parent's labels of which no image has an object, with all columns of each; crowds are no objects", () => {
    const spec = { labels: [null, "person", "car", "car", "dog", "forklift", null] };
    const start = {
      bundle: { spec } as never,
      known: ["person", "car", "dog"],
      columnOf: new Map([
        [1, 1],
        [2, 2],
        [3, 4],
      ]),
    };
    const object = (categoryId: number, crowd = false): never =>
      ({ pictureId: 1, categoryId, bbox: [0, 0, 1, 1], area: 1, crowd, difficult: false }) as never;
    const image = { id: 1, file: "a.jpg", width: 9, height: 9 };
    const columns = unlabelledColumns(start, [{ ...image, objects: [object(1), object(3, true)] }]);
    expect([...columns!]).toEqual([0, 0, 1, 1, 1, 0, 0]);
    const all = unlabelledColumns(start, [{ ...image, objects: [object(1), object(2), object(3)] }]);
    expect(all).toBeUndefined();
  });
});

test("a misspelt name, and one appended to another, have a name that was meant; a new one has none", () => {
  const labels = ["person", "bicycle", "car", "motorcycle", "cat", "tv", "hot dog"];
  expect(nearest("personbicycle", labels)).toEqual(["person", "bicycle"]);
  expect(nearest("Persn", labels)).toEqual(["person"]);
  expect(nearest("hotdog", labels)).toEqual(["hot dog"]);
  expect(nearest("bicicle", labels)).toEqual(["bicycle"]);
  expect(nearest("forklift", labels)).toEqual([]);
  expect(nearest("dog", ["cat", "cow", "car"])).toEqual([]);
});
