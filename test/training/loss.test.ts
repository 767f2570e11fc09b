// The loss: cases that are small enough to type out, and its gradient against central differences in float64.
import { describe, expect, test } from "vitest";
import { random } from "../../src/model/random.ts";
import { mineNegatives } from "../../src/training/hard-negatives.ts";
import { type Heads, type LossOptions, PAPER_LOSS, ssdLoss } from "../../src/training/loss.ts";
import { NEITHER, type PictureTargets } from "../../src/training/match.ts";

const softmax: LossOptions = { ...PAPER_LOSS, scores: "softmax" };
const sigmoid: LossOptions = { ...PAPER_LOSS, scores: "sigmoid" };

function picture(labels: number[], offsets: Record<number, number[]> = {}): PictureTargets {
  const flat = new Float32Array(labels.length * 4);
  for (const [box, values] of Object.entries(offsets)) flat.set(values, Number(box) * 4);
  return { labels: Int32Array.from(labels), offsets: flat, matched: labels.filter((label) => label > 0).length };
}

function run(
  logits: number[],
  targets: PictureTargets[],
  options: LossOptions,
  offsets?: number[],
): ReturnType<typeof ssdLoss> & { gradient: Heads } {
  const boxes = targets.length * targets[0]!.labels.length * 4;
  const heads = { offsets: Float64Array.from(offsets ?? new Float64Array(boxes)), logits: Float64Array.from(logits) };
  // What was there before must not show.
  const gradient = { offsets: new Float64Array(boxes).fill(9), logits: new Float64Array(logits.length).fill(9) };
  return { ...ssdLoss(heads, targets, gradient, options), gradient };
}

describe("mineNegatives", () => {
  test("takes the background boxes with the greatest losses, the first of equal ones, in order", () => {
    expect(mineNegatives(Float64Array.of(5, 1, 3, 3, 9, 2), Int32Array.of(0, 0, 0, 0, 1, NEITHER), 2)).toEqual([0, 2]);
    expect(mineNegatives(Float64Array.of(5, 1), Int32Array.of(0, 0), 9)).toEqual([0, 1]);
    expect(mineNegatives(Float64Array.of(5, 1), Int32Array.of(0, 0), 0)).toEqual([]);
  });

  test("of many it takes those that sorting would", () => {
    const next = random(3);
    for (const wanted of [1, 7, 100, 998]) {
      const losses = Float64Array.from({ length: 999 }, () => Math.floor(next() * 50));
      const sorted = [...losses.keys()].toSorted((a, b) => losses[b]! - losses[a]! || a - b);
      const expected = sorted.slice(0, wanted).toSorted((a, b) => a - b);
      expect(mineNegatives(losses, new Int32Array(999), wanted)).toEqual(expected);
    }
  });

  test("a loss that is not a number is the greatest", () => {
    expect(mineNegatives(Float64Array.of(5, NaN, 7), Int32Array.of(0, 0, 0), 1)).toEqual([1]);
  });
});

describe("ssdLoss", () => {
  test("softmax: -log of the share of the class, over the matched boxes", () => {
    const logits = [0, Math.log(3), 0, 0];
    const { class: loss, box, matched, negatives, gradient } = run(logits, [picture([1, 0])], softmax);
    expect(loss).toBeCloseTo(-Math.log(3 / 4) - Math.log(1 / 2), 12);
    expect([box, matched, negatives]).toEqual([0, 1, 1]);
    for (const [i, wanted] of [1 / 4, -1 / 4, -1 / 2, 1 / 2].entries())
      expect(gradient.logits[i]).toBeCloseTo(wanted, 12);
  });

  test("smooth L1: half the square below 1, the distance less a half beyond, of matched boxes only", () => {
    const targets = picture([1, 0], { 0: [1, 0, 0, 0] });
    const { box, gradient } = run([0, 0, 0, 0], [targets], softmax, [1.5, 3, -2, 0, 7, 7, 7, 7]);
    expect(box).toBeCloseTo(0.125 + 2.5 + 1.5, 12);
    expect([...gradient.offsets]).toEqual([0.5, 1, -1, 0, 0, 0, 0, 0]);
  });

  test("at most three negatives a match of the same picture count, the hardest", () => {
    // Box 4 is the easiest: its background is sure.
    const logits = [0, 0, 1, 2, 1, 3, 1, 4, 9, 0];
    const { negatives, gradient } = run(logits, [picture([1, 0, 0, 0, 0])], softmax);
    expect(negatives).toBe(3);
    expect([...gradient.logits.subarray(8)]).toEqual([0, 0]);
    expect(gradient.logits.subarray(2, 8).every((value) => value !== 0)).toBe(true);
    const two = run([...logits, ...logits], [picture([1, 0, 0, 0, 0]), picture([0, 0, 0, 0, 0])], softmax);
    expect([two.negatives, two.matched]).toEqual([3, 1]);
  });

  test("a picture without objects teaches as many negatives as are asked for at least", () => {
    const logits = [0, 0, 0, 0, 0, 1, 0, 2];
    const targets = [picture([1, 0]), picture([0, 0])];
    const { negatives, gradient } = run(logits, targets, { ...softmax, negativesPerMatch: 1, leastNegatives: 1 });
    expect(negatives).toBe(2);
    expect(gradient.logits[4]).toBe(0);
    expect(gradient.logits[6]).toBeCloseTo(1 / (1 + Math.exp(2)) - 1, 12);
  });

  test.each([softmax, sigmoid])("$scores: 0 where no box of the batch has an object", (options) => {
    const result = run([5, 1, 2, 3], [picture([0, 0])], { ...options, leastNegatives: 2 });
    expect(result).toMatchObject({ box: 0, class: 0, matched: 0, negatives: 0 });
    expect([...result.gradient.logits, ...result.gradient.offsets].every((value) => value === 0)).toBe(true);
  });

  test("sigmoid: binary cross entropies of all columns, the background's among them", () => {
    const { class: loss, gradient } = run([Math.log(3), 0, -Math.log(3)], [picture([1])], sigmoid);
    expect(loss).toBeCloseTo(-Math.log(1 / 4) - Math.log(1 / 2) - Math.log(3 / 4), 12);
    for (const [i, wanted] of [3 / 4, -1 / 2, 1 / 4].entries()) expect(gradient.logits[i]).toBeCloseTo(wanted, 12);
  });

  test("sigmoid: large logits, and many of them, stay finite", () => {
    const logits = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 39 : 5000));
    expect(run(logits, [picture([1])], sigmoid).class).toBeCloseTo(100 * 39 + 99 * 5000, 6);
    expect(run([-5000, 5000], [picture([1])], softmax).class).toBe(0);
  });

  test("boxes that are neither teach nothing", () => {
    const { negatives, gradient } = run([0, 0, 0, 9], [picture([1, NEITHER])], softmax);
    expect(negatives).toBe(0);
    expect([...gradient.logits.subarray(2)]).toEqual([0, 0]);
  });

  test("of a label's kinds the surest is taught, as if the others were not there", () => {
    // Background, two kinds of a label, another label.
    const kinds = Int32Array.of(0, 1, 1, 3);
    for (const options of [softmax, sigmoid]) {
      const { class: loss, gradient } = run([0.5, 1, 2, -1], [picture([1])], { ...options, kinds });
      const alone = run([0.5, 2, -1], [picture([1])], options);
      expect(loss).toBeCloseTo(alone.class, 12);
      const [background, kind, other] = alone.gradient.logits;
      expect([...gradient.logits].map((value) => value.toFixed(12))).toEqual(
        [background!, 0, kind!, other!].map((value) => value.toFixed(12)),
      );
      const one = run([0.5, 1, 2, -1], [picture([3])], { ...options, kinds });
      expect(one.gradient).toEqual(run([0.5, 1, 2, -1], [picture([3])], options).gradient);
    }
  });

  test.each([softmax, { ...sigmoid, leastNegatives: 2 }, { ...softmax, kinds: Int32Array.of(0, 1, 1, 3, 3) }])(
    "$scores: the gradient is that of differences",
    (options) => {
      const next = random(3);
      const [n, boxes, classes] = [3, 20, 5];
      const draw = (count: number, reach: number): Float64Array =>
        Float64Array.from({ length: count }, () => (next() * 2 - 1) * reach);
      const heads = { offsets: draw(n * boxes * 4, 3), logits: draw(n * boxes * classes, 4) };
      const targets = Array.from({ length: n }, (_, i) => {
        const labels = Array.from({ length: boxes }, () =>
          next() < 0.2 && i !== 1 ? 1 + 2 * Math.floor(next() * 2) : 0,
        );
        return { ...picture(labels), offsets: Float32Array.from(draw(boxes * 4, 3)) };
      });
      const gradient = {
        offsets: new Float64Array(heads.offsets.length),
        logits: new Float64Array(heads.logits.length),
      };
      const unused = { offsets: new Float64Array(heads.offsets.length), logits: new Float64Array(heads.logits.length) };
      ssdLoss(heads, targets, gradient, options);
      const total = (): number => {
        const loss = ssdLoss(heads, targets, unused, options);
        return loss.box + loss.class;
      };
      for (const part of ["offsets", "logits"] as const) {
        for (let i = 0; i < heads[part].length; i++) {
          const value = heads[part][i]!;
          const step = 1e-6;
          heads[part][i] = value + step;
          const above = total();
          heads[part][i] = value - step;
          const below = total();
          heads[part][i] = value;
          expect(Math.abs(gradient[part][i]! - (above - below) / (2 * step))).toBeLessThan(1e-7);
        }
      }
    },
  );
});
