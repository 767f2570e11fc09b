// Points in polygons: typed-out squares and shapes, their sides, their corners.
import { describe, expect, test } from "vitest";
import type { Polygon } from "../../src/pipeline/stream.ts";
import { isInAny } from "../../src/pipeline/zones.ts";

const square: Polygon = [
  [0.2, 0.2],
  [0.6, 0.2],
  [0.6, 0.6],
  [0.2, 0.6],
];
/** A capital U: what lies between its arms is outside. */
const cup: Polygon = [
  [0, 0],
  [0.2, 0],
  [0.2, 0.8],
  [0.8, 0.8],
  [0.8, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

describe("a point lies in a polygon", () => {
  test.each([
    ["its middle", square, 0.4, 0.4],
    ["a side", square, 0.6, 0.4],
    ["a corner", square, 0.2, 0.2],
    ["the left arm of a U", cup, 0.1, 0.3],
    ["the bottom of a U", cup, 0.5, 0.9],
    ["the picture's own edge", cup, 0.5, 1],
  ] as const)("%s", (_, polygon, x, y) => {
    expect(isInAny([polygon], x, y)).toBe(true);
    expect(isInAny([polygon.toReversed()], x, y)).toBe(true);
  });
});

describe("a point lies outside", () => {
  test.each([
    ["beside it, at the height of its corners", square, 0.1, 0.2],
    ["to the right of it", square, 0.61, 0.4],
    ["between the arms of a U", cup, 0.5, 0.4],
    ["in line with a side, beyond it", square, 0.6, 0.7],
  ] as const)("%s", (_, polygon, x, y) => {
    expect(isInAny([polygon], x, y)).toBe(false);
    expect(isInAny([polygon.toReversed()], x, y)).toBe(false);
  });

  test("of no polygon at all", () => {
    expect(isInAny([], 0.5, 0.5)).toBe(false);
  });
});

test("one of several is enough", () => {
  expect(isInAny([square, cup], 0.1, 0.3)).toBe(true);
});
