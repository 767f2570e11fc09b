// Quantiles of what was recorded lately, held against sorted values.
import { expect, test } from "vitest";
import { RecentHistogram } from "../../src/pipeline/recent-histogram.ts";
import { fc } from "../support/fast-check.ts";

test("quantiles are those of the sorted values, to within 5 %", () => {
  const values = fc.array(fc.double({ min: 0.06, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, (recorded) => {
      const histogram = new RecentHistogram(() => 0);
      for (const value of recorded) histogram.record(value);
      const sorted = recorded.toSorted((a, b) => a - b);
      const found = histogram.quantiles()!;
      for (const [share, quantile] of [
        [0.5, found.p50],
        [0.95, found.p95],
        [0.99, found.p99],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
        expect(Math.abs(quantile / exact - 1)).toBeLessThan(0.05);
      }
    }),
    { numRuns: 50 },
  );
});

test("what is below or beyond its range is counted at its ends", () => {
  const histogram = new RecentHistogram(() => 0);
  histogram.record(0);
  expect(histogram.quantiles()!.p99).toBeLessThan(0.06);
  for (let i = 0; i < 99; i++) histogram.record(1e9);
  expect(histogram.quantiles()!.p50).toBeGreaterThan(190_000);
});

test("it forgets what is older than two windows, and says nothing when it has nothing", () => {
  let time = 0;
  const histogram = new RecentHistogram(() => time, 1000);
  expect(histogram.quantiles()).toBeUndefined();
  histogram.record(10);
  time = 1500;
  histogram.record(1000);
  expect(histogram.quantiles()!.p50).toBeCloseTo(10, 0);
  time = 2500;
  expect(histogram.quantiles()!.p50).toBeGreaterThan(900);
  time = 9000;
  expect(histogram.quantiles()).toBeUndefined();
});
