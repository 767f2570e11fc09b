// Truths find their default boxes: cases that are small enough to type out.
import { describe, expect, test } from "vitest";
import type { CentreBox } from "../../src/model/box-coder.ts";
import { matchTruths, Matcher, NEITHER } from "../../src/training/match.ts";

/** Four boxes of a quarter each, and one that covers the picture. */
const BOXES = Float32Array.from(
  [
    [0.25, 0.25, 0.5, 0.5],
    [0.75, 0.25, 0.5, 0.5],
    [0.25, 0.75, 0.5, 0.5],
    [0.75, 0.75, 0.5, 0.5],
    [0.5, 0.5, 1, 1],
  ].flat(),
);
const match = (...truths: CentreBox[]): number[] => [...matchTruths(truths, BOXES)];

describe("matchTruths", () => {
  test("a truth takes the box that it overlaps most, however little that is", () => {
    expect(match([0.25, 0.25, 0.1, 0.1])).toEqual([0, -1, -1, -1, -1]);
  });

  test("every box that overlaps it by more than 0.5 is given it too; by 0.5 is not enough", () => {
    const boxes = Float32Array.of(0.5, 0.5, 1, 1, 0.5, 0.5, 0.75, 1, 0.25, 0.5, 0.5, 1);
    expect([...matchTruths([[0.5, 0.5, 1, 1]], boxes)]).toEqual([0, 0, -1]);
  });

  test("of two truths that overlap a box by more than 0.5 it takes the one that it overlaps more", () => {
    const boxes = Float32Array.of(0.25, 0.25, 0.5, 0.5, 0.26, 0.25, 0.5, 0.5, 0.27, 0.25, 0.5, 0.5);
    expect([
      ...matchTruths(
        [
          [0.25, 0.25, 0.5, 0.5],
          [0.27, 0.25, 0.5, 0.5],
        ],
        boxes,
      ),
    ]).toEqual([0, 0, 1]);
  });

  test("two truths with one best box do not share it: the better pair has it, the other truth its next", () => {
    expect(match([0.25, 0.25, 0.3, 0.3], [0.25, 0.25, 0.4, 0.4])).toEqual([1, -1, -1, -1, 0]);
  });

  test("a truth keeps its best box from another truth that overlaps it by more than 0.5", () => {
    // The large one's best box is the whole picture; the small one's only box is the first quarter.
    const boxes = Float32Array.of(0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.48, 0.48);
    const truths: CentreBox[] = [
      [0.25, 0.25, 0.5, 0.5],
      [0.02, 0.02, 0.04, 0.04],
    ];
    expect([...matchTruths(truths, boxes)]).toEqual([0, 1]);
  });

  test("a truth that overlaps no box, and one without an area, go without", () => {
    const boxes = Float32Array.of(0.25, 0.25, 0.1, 0.1);
    expect([...matchTruths([[0.75, 0.75, 0.1, 0.1]], boxes)]).toEqual([-1]);
    expect(match([0.25, 0.25, 0, 0])).toEqual([-1, -1, -1, -1, -1]);
  });

  test("no truths: all boxes are background", () => {
    expect(match()).toEqual([-1, -1, -1, -1, -1]);
  });
});

describe("Matcher", () => {
  const matcher = new Matcher(BOXES, [0.1, 0.1, 0.2, 0.2]);

  test("labels are the truth's, offsets those to the truth, and the rest is background", () => {
    const { labels, offsets, matched } = matcher.targetsOf([{ box: [0.75, 0.3, 0.5, 0.25], label: 7 }]);
    expect([...labels]).toEqual([0, 7, 0, 0, 0]);
    expect(matched).toBe(1);
    const wanted = [0, 0.05 / 0.5 / 0.1, 0, Math.log(0.5) / 0.2];
    for (const [i, value] of wanted.entries()) expect(offsets[4 + i]).toBeCloseTo(value, 5);
    expect(offsets.filter((value) => value !== 0)).toHaveLength(2);
  });

  test("boxes that an ignored region covers by more than half are neither, but for those with an object", () => {
    const crowd = { box: [0.25, 0.5, 0.5, 1] as const, label: 3, ignored: true };
    const { labels, matched } = matcher.targetsOf([crowd, { box: [0.25, 0.25, 0.5, 0.5], label: 2 }]);
    expect([...labels]).toEqual([2, 0, NEITHER, 0, 0]);
    expect(matched).toBe(1);
  });
});
