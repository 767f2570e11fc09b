// How far a training goes from its start: typed-out weights, and what is done where nobody says.
import { expect, test } from "vitest";
import { planTraining } from "../../src/training/backward/plan.ts";
import { blended, usualBlend } from "../../src/training/blend.ts";
import { parseFreeze } from "../../src/training/freeze.ts";
import { SHAPES } from "./support/drawn-shapes.ts";
import { tinySsd } from "./support/tiny-ssd.ts";

const tensor = (...values: number[]): { shape: number[]; data: Float32Array } => ({
  shape: [values.length],
  data: Float32Array.from(values),
});

test("weights that learnt lie on the line from their start; frozen ones are not in it", () => {
  const start = new Map([
    ["base.weight", tensor(7)],
    ["head.weight", tensor(1, 2)],
  ]);
  const learnt = new Map([["head.weight", tensor(3, -2)]]);
  expect([...blended(start, learnt, 0.25)]).toEqual([["head.weight", tensor(1.5, 1)]]);
  expect([...blended(start, learnt, 0)]).toEqual([["head.weight", tensor(1, 2)]]);
  expect(blended(start, learnt, 1)).toBe(learnt);
});

test("half way where classes learn, all of them known, and the start finds something", () => {
  const { graph } = tinySsd(SHAPES, 1);
  const blendOf = (freeze: string, added: readonly string[], AP?: number, isFormer?: boolean): number => {
    const plan = planTraining(graph, parseFreeze(graph, freeze));
    return usualBlend({ plan, added }, AP === undefined ? undefined : { AP }, isFormer);
  };
  expect(blendOf("base", [], 0.5)).toBe(0.5);
  expect(blendOf("base,extra0", [], 0.5)).toBe(0.5);
  expect(blendOf("base,extra*,head*.logits", [], 0.5)).toBe(1);
  expect(blendOf("none", [], 0.5)).toBe(0.5);
  // A run that version 0.1.0 began goes on as it did.
  expect(blendOf("none", [], 0.5, true)).toBe(1);
  expect(blendOf("base", [], 0.5, true)).toBe(0.5);
  expect(blendOf("base", ["hexagon"], 0.5)).toBe(1);
  expect(blendOf("base", [], 0.02)).toBe(1);
  expect(blendOf("base", [])).toBe(1);
});
