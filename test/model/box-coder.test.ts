// Encoding and decoding of boxes: typed-out cases, the way there and back, and numbers that no box has.
import { describe, expect, test } from "vitest";
import { type CentreBox, decodeInto, encode, type Offsets, type Variances } from "../../src/model/box-coder.ts";
import { random } from "./support/random.ts";

const VARIANCES: Variances = [0.1, 0.1, 0.2, 0.2];

/** `[x1, y1, x2, y2]` of one box. */
function decode(offsets: Offsets, defaultBox: CentreBox, variances = VARIANCES): number[] {
  const out = new Float32Array(4);
  decodeInto(out, 0, Float32Array.from(offsets), 0, Float32Array.from(defaultBox), 0, variances);
  return [...out];
}

function expectNear(actual: readonly number[], wanted: readonly number[], tolerance = 1e-6): void {
  expect(actual).toHaveLength(wanted.length);
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)));
  expect(worst, `${actual.join(" ")} instead of ${wanted.join(" ")}`).toBeLessThanOrEqual(tolerance);
}

describe("encode", () => {
  test("a default box has no offsets from itself", () => {
    expect(encode([0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], VARIANCES)).toEqual([0, 0, 0, 0]);
  });

  test("shifts are shares of the default box's own sides, over the variance", () => {
    // 0.02 of a width of 0.2 is 0.1, over 0.1 it is 1; -0.04 of a height of 0.4 is -0.1, over 0.1 it is -1.
    expectNear(encode([0.52, 0.46, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], VARIANCES), [1, -1, 0, 0]);
  });

  test("sizes are logarithms of ratios, over the variance", () => {
    const box: CentreBox = [0.5, 0.5, 0.2 * Math.E, 0.4 / Math.E];
    expectNear(encode(box, [0.5, 0.5, 0.2, 0.4], VARIANCES), [0, 0, 5, -5]);
  });
});

describe("decodeInto", () => {
  test("no offsets give the corners of the default box", () => {
    expectNear(decode([0, 0, 0, 0], [0.5, 0.5, 0.2, 0.4]), [0.4, 0.3, 0.6, 0.7]);
  });

  test("shifts and sizes are applied together", () => {
    // Centre 0.52, 0.46; width 0.4, height 0.1.
    const offsets: Offsets = [1, -1, Math.log(2) / 0.2, Math.log(0.25) / 0.2];
    expectNear(decode(offsets, [0.5, 0.5, 0.2, 0.4]), [0.32, 0.41, 0.72, 0.51]);
  });

  test("variances of 1 leave the offsets as the paper's equation 2 has them", () => {
    expectNear(decode([0.5, 0, Math.log(3), 0], [0.5, 0.5, 0.2, 0.2], [1, 1, 1, 1]), [0.3, 0.4, 0.9, 0.6]);
  });

  test("a box may leave the picture: clipping is not its business", () => {
    expectNear(decode([-10, 10, 0, 0], [0.5, 0.5, 1, 1]), [-1, 1, 0, 2]);
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
    expectNear([x2 - x1, y2 - y1], [10, 20], 1e-4);
  });

  test("a size offset of minus infinity gives a box without a size", () => {
    expectNear(decode([0, 0, -Infinity, -Infinity], [0.5, 0.5, 0.1, 0.1]), [0.5, 0.5, 0.5, 0.5]);
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
    for (const [k, value] of wanted.entries()) worst = Math.max(worst, Math.abs(value - found[k]!));
  }
  expect(worst).toBeLessThan(2e-6);
});
