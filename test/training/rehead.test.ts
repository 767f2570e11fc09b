// A model with other labels: rows that stay, rows that are drawn, and a network that fits.
import { describe, expect, test } from "vitest";
import { misfit } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { rehead } from "../../src/training/rehead.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { smallSpec } from "../model/support/small-spec.ts";

describe.each(["sigmoid", "softmax"] as const)("a model with scores by %s and other labels", (scores) => {
  // Background, cat, dog, a gap, cow, car, bus.
  const spec = smallSpec({ scores });
  const weights = randomWeights(buildSsd(spec), 1);
  const made = rehead(spec, weights, ["truck", "Dog", "cat"], 3);

  test("fits its network, and says what it knew", () => {
    expect(made.spec.labels).toEqual([null, "truck", "Dog", "cat"]);
    expect(misfit(buildSsd(made.spec), made.weights)).toBeUndefined();
    expect([made.known, made.added]).toEqual([["Dog", "cat"], ["truck"]]);
  });

  test("rows of the background and of known labels are those of before, for each box of a cell", () => {
    for (const name of ["head0.logits.project.weight", "head3.logits.project.bias"]) {
      const [before, after] = [weights.get(name)!, made.weights.get(name)!];
      const size = before.data.length / before.shape[0]!;
      const boxes = before.shape[0]! / 7;
      expect(after.shape[0]).toBe(boxes * 4);
      for (let box = 0; box < boxes; box++) {
        for (const [column, old] of [
          [0, 0],
          [2, 2],
          [3, 1],
        ] as const) {
          const row = (data: Float32Array, at: number): number[] => [...data.subarray(at * size, (at + 1) * size)];
          expect(row(after.data, box * 4 + column)).toEqual(row(before.data, box * 7 + old));
        }
      }
    }
  });

  test("a new label's weights are drawn by the seed, its bias says how rare it is where scores are sigmoids", () => {
    const name = "head0.logits.project";
    const [size] = [made.weights.get(`${name}.weight`)!.data.length / made.weights.get(`${name}.weight`)!.shape[0]!];
    const row = (seed: number): number[] => {
      const { data } = rehead(spec, weights, ["truck", "Dog", "cat"], seed).weights.get(`${name}.weight`)!;
      return [...data.subarray(size, size * 2)];
    };
    expect(row(3)).toEqual(row(3));
    expect(row(3)).not.toEqual(row(4));
    expect(Math.max(...row(3).map(Math.abs))).toBeGreaterThan(0);
    const bias = made.weights.get(`${name}.bias`)!.data[1]!;
    expect(scores === "softmax" ? bias + 0.01 : 1 / (1 + Math.exp(-bias))).toBeCloseTo(0.01, 6);
  });

  test("everything else is as it was", () => {
    const changed = [...weights].filter(([name, tensor]) => made.weights.get(name) !== tensor).map(([name]) => name);
    expect(changed).toHaveLength(12);
    expect(changed.every((name) => name.includes(".logits.project"))).toBe(true);
  });
});

test("a label that is made of several keeps the rows of all as its kinds, and so does a model that has such labels already", () => {
  const spec = smallSpec();
  const weights = randomWeights(buildSsd(spec), 1);
  const made = rehead(
    spec,
    weights,
    ["truck", "pet", "cow"],
    3,
    new Map([
      ["pet", ["dog", "Cat", "fox"]],
      ["cow", ["cow"]],
    ]),
  );
  expect(made.spec.labels).toEqual([null, "truck", "pet", "pet", "cow"]);
  expect([made.known, made.added]).toEqual([["pet", "cow"], ["truck"]]);
  expect(misfit(buildSsd(made.spec), made.weights)).toBeUndefined();
  const bias = (tensors: typeof weights): number[] => [...tensors.get("head0.logits.project.bias")!.data];
  expect(bias(made.weights).slice(2, 4)).toEqual(bias(weights).slice(1, 3));
  const again = rehead(made.spec, made.weights, ["pet"], 3);
  expect(again.spec.labels).toEqual([null, "pet", "pet"]);
  expect(bias(again.weights).slice(1, 3)).toEqual(bias(weights).slice(1, 3));
});

test("a new label that is like a known one begins with a copy of its rows", () => {
  const spec = smallSpec();
  const weights = randomWeights(buildSsd(spec), 1);
  const made = rehead(spec, weights, ["dog", "wolf"], 3, new Map(), new Map([["wolf", "dog"]]));
  expect([made.known, made.added]).toEqual([["dog"], ["wolf"]]);
  const { data } = made.weights.get("head0.logits.project.bias")!;
  const before = weights.get("head0.logits.project.bias")!.data;
  expect([...data.subarray(0, 3)]).toEqual([before[0], before[2], before[2]]);
});
