// Encoding and decoding of boxes: typed-out cases, the way there and back, and numbers that no box has.
import { describe, expect, test } from "vitest";
import { type CentreBox, decodeInto, encode, type Offsets, type Variances } from "../../src/model/box-coder.ts";
import { worstDifference } from "./support/differences.ts";
import { random } from "../../src/model/random.ts";

const VARIANCES: Variances = [0.1, 0.1, 0.2, 0.2];

/** `[x1, y1, x2, y2]` of one box. */
function decode(offsets: Offsets, defaultBox: CentreBox, variances = VARIANCES): number[] {
  const out = new Float32Array(4);
  decodeInto(out, 0, Float32Array.from(offsets), 0, Float32Array.from(defaultBox), 0, variances);
  return [...out];
}

describe("encode", () => {
  test("a default box has no offsets from itself", () => {
    expect(encode([0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], VARIANCES)).toEqual([0, 0, 0, 0]);
  });

  test("shifts are shares of the default box's own sides, over the variance", () => {
    // 0.02 of a width of 0.2 is 0.1, over 0.1 it is 1; -0.04 of a height of 0.4 is -0.1, over 0.1 it is -1.
    expect(
      worstDifference(encode([0.52, 0.46, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], VARIANCES), [1, -1, 0, 0]),
    ).toBeLessThan(1e-6);
  });

  test("sizes are logarithms of ratios, over the variance", () => {
    const box: CentreBox = [0.5, 0.5, 0.2 * Math.E, 0.4 / Math.E];
    expect(worstDifference(encode(box, [0.5, 0.5, 0.2, 0.4], VARIANCES), [0, 0, 5, -5])).toBeLessThan(1e-6);
  });
});

describe("decodeInto", () => {
  test("no offsets give the corners of the default box", () => {
    expect(worstDifference(decode([0, 0, 0, 0], [0.5, 0.5, 0.2, 0.4]), [0.4, 0.3, 0.6, 0.7])).toBeLessThan(1e-6);
  });

  test("shifts and sizes are applied together", () => {
    // Centre 0.52, 0.46; width 0.4, height 0.1.
    const offsets: Offsets = [1, -1, Math.log(2) / 0.2, Math.log(0.25) / 0.2];
    expect(worstDifference(decode(offsets, [0.5, 0.5, 0.2, 0.4]), [0.32, 0.41, 0.72, 0.51])).toBeLessThan(1e-6);
  });

  test("variances of 1 leave the offsets as the paper's equation 2 has them", () => {
    expect(
      worstDifference(decode([0.5, 0, Math.log(3), 0], [0.5, 0.5, 0.2, 0.2], [1, 1, 1, 1]), [0.3, 0.4, 0.9, 0.6]),
    ).toBeLessThan(1e-6);
  });

  test("a box may leave the picture: clipping is not its business", () => {
    expect(worstDifference(decode([-10, 10, 0, 0], [0.5, 0.5, 1, 1]), [-1, 1, 0, 2])).toBeLessThan(1e-6);
  });

  test("reads and writes at the places that it is given", () => {
    const out = new Float32Array(8).fill(-1);
    const offsets = Float32Array.from([9, 9, 9, 9, 9, 0, 0, 0, 0]);
    const boxes = Float32Array.from([9, 9, 9, 9, 0.5, 0.5, 0.5, 0.5]);
    decodeInto(out, 4, offsets, 5, boxes, 4, VARIANCES);
    expect([...out]).toEqual([-1, -1, -1, -1, 0.25, 0.25, 0.75, 0.75]);
  });

  test.each([1e3, 1e6, Number.MAX_VALUE, Infinity])("a size offset of %d stops at 1000 times the box", (size) => {
    const [x1, y1, x2, y2] = decode([0, 0, size, size], [0.5, 0.5, 0.01, 0.02]) as [number, number, number, number];
    expect(worstDifference([x2 - x1, y2 - y1], [10, 20])).toBeLessThan(1e-4);
  });

  test("a size offset of minus infinity gives a box without a size", () => {
    expect(
      worstDifference(decode([0, 0, -Infinity, -Infinity], [0.5, 0.5, 0.1, 0.1]), [0.5, 0.5, 0.5, 0.5]),
    ).toBeLessThan(1e-6);
  });
});

test("decoding what was encoded gives the box back, for 5000 random pairs of boxes", () => {
  const next = random(7);
  const box = (): CentreBox => [next(), next(), 0.01 + next(), 0.01 + next()];
  let worst = 0;
  for (let i = 0; i < 5000; i++) {
    const [truth, defaultBox] = [box(), box()];
    const [cx, cy, width, height] = truth;
    const wanted = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
    const found = decode(encode(truth, defaultBox, VARIANCES), defaultBox);
    worst = Math.max(worst, worstDifference(found, wanted));
  }
  expect(worst).toBeLessThan(2e-6);
});
