// Descent: cases that are small enough to type out.
import { expect, test } from "vitest";
import type { Tensor } from "../../src/model/weights/safetensors.ts";
import { Sgd } from "../../src/training/sgd.ts";

const tensors = (parts: Record<string, number[]>): Map<string, Tensor> =>
  new Map(Object.entries(parts).map(([name, data]) => [name, { shape: [data.length], data: Float32Array.from(data) }]));
const plain = { momentum: 0, weightDecay: 0, clipNorm: 0 };

test("weights go against their gradients, by the rate", () => {
  const weights = tensors({ "a.weight": [1, 2], "a.bias": [3] });
  const norm = new Sgd(weights, plain).step(tensors({ "a.weight": [2, 0], "a.bias": [-4] }), 0.5);
  expect([...weights.get("a.weight")!.data, ...weights.get("a.bias")!.data]).toEqual([0, 2, 5]);
  expect(norm).toBeCloseTo(Math.sqrt(20), 12);
});

test("all numbers of a tensor move, however many there are", () => {
  for (const length of [1, 3, 4, 5, 11]) {
    const numbers = Array.from({ length }, (_, i) => i + 1);
    const weights = tensors({ "a.weight": numbers });
    const norm = new Sgd(weights, plain).step(tensors({ "a.weight": numbers }), 0.5);
    expect([...weights.get("a.weight")!.data]).toEqual(numbers.map((value) => value / 2));
    expect(norm).toBeCloseTo(Math.hypot(...numbers), 12);
  }
});

test("momentum carries on, and a run that goes on from its velocities does the same", () => {
  const [whole, first] = [tensors({ "a.weight": [0] }), tensors({ "a.weight": [0] })];
  const gradient = tensors({ "a.weight": [1] });
  const options = { ...plain, momentum: 0.5 };
  const one = new Sgd(whole, options);
  for (let i = 0; i < 3; i++) one.step(gradient, 1);
  expect([...whole.get("a.weight")!.data]).toEqual([-(1 + 1.5 + 1.75)]);
  const before = new Sgd(first, options);
  before.step(gradient, 1);
  const after = new Sgd(first, options, before.velocities);
  for (let i = 0; i < 2; i++) after.step(gradient, 1);
  expect([...first.get("a.weight")!.data]).toEqual([...whole.get("a.weight")!.data]);
});

test("weights of convolutions decay, biases and scales do not", () => {
  const weights = tensors({ "a.weight": [8], "a.bias": [8], "b.scale": [8] });
  const none = tensors({ "a.weight": [0], "a.bias": [0], "b.scale": [0] });
  new Sgd(weights, { ...plain, weightDecay: 0.5 }).step(none, 0.5);
  expect([...weights.values()].map(({ data }) => data[0])).toEqual([6, 8, 8]);
});

test("gradients that are longer than allowed are shortened together", () => {
  const weights = tensors({ "a.weight": [0], "a.bias": [0] });
  const norm = new Sgd(weights, { ...plain, clipNorm: 1 }).step(tensors({ "a.weight": [3], "a.bias": [4] }), 1);
  expect(norm).toBe(5);
  expect(weights.get("a.weight")!.data[0]).toBeCloseTo(-0.6, 6);
  expect(weights.get("a.bias")!.data[0]).toBeCloseTo(-0.8, 6);
});

test.each([NaN, Infinity])("a gradient of %d changes nothing", (bad) => {
  const weights = tensors({ "a.weight": [1, 2] });
  expect(new Sgd(weights, plain).step(tensors({ "a.weight": [1, bad] }), 1)).not.toBeLessThan(Infinity);
  expect([...weights.get("a.weight")!.data]).toEqual([1, 2]);
});
