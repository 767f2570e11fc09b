// Learning rates over the steps of a training.
import { expect, test } from "vitest";
import { rateAt } from "../../src/training/schedule.ts";

const rates = (steps: number, schedule: "cosine" | "step" | "constant", warmUp: number): number[] =>
  Array.from({ length: steps }, (_, step) => rateAt(step, steps, { lr: 1, schedule, warmUp }));

test("the warm-up rises evenly, and takes at most a fifth of the steps", () => {
  expect(rates(20, "constant", 3).slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
  expect(rates(10, "constant", 500).slice(0, 4)).toEqual([1 / 3, 2 / 3, 1, 1]);
});

test("step: a tenth at 2/3 and again at 5/6, as in the paper", () => {
  const made = rates(60, "step", 0);
  expect([made[39], made[40], made[49], made[50], made[59]].map((rate) => rate!.toFixed(4))).toEqual([
    "1.0000",
    "0.1000",
    "0.1000",
    "0.0100",
    "0.0100",
  ]);
});

test("cosine: from the whole rate over the half to nearly 0", () => {
  const made = rates(100, "cosine", 0);
  expect(made[0]).toBe(1);
  expect(made[50]).toBeCloseTo(0.5);
  expect(made[99]).toBeLessThan(0.001);
  expect(made.every((rate, i) => i === 0 || rate < made[i - 1]!)).toBe(true);
});
