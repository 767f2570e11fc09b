// The quick exponential function, held against Math.exp.
import { expect, test } from "vitest";
import { exp } from "../../src/training/exp.ts";

test("over the whole range it is Math.exp to a share of 2e-13", () => {
  const apart = Array.from({ length: 30_000 }, (_, i) => -700 + i * 0.0469).map((x) =>
    Math.abs(exp(x) / Math.exp(x) - 1),
  );
  expect(Math.max(...apart)).toBeLessThan(2e-13);
});

test("where numbers end it says what Math.exp does", () => {
  for (const x of [0, -0, 709.7, 710, -744.4, -745.2, -1e9, Infinity, -Infinity, NaN]) expect(exp(x)).toBe(Math.exp(x));
});
