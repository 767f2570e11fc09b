// What is taken out of someone else's file has the shape, the numbers and the values that are wanted, or is named.
import { expect, test } from "vitest";
import type { Tensor } from "../../../src/model/weights/safetensors.ts";
import { take } from "../../../src/model/weights/take.ts";

const from = (tensor: Tensor): Tensor =>
  take({ tensors: new Map([["a", tensor]]), file: "f.pth", spec: "small" }, "a", [2, 2]);

test("a tensor that fits is taken as it is", () => {
  const tensor = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  expect(from(tensor)).toBe(tensor);
});

test.each<[string, Tensor, string, string]>([
  [
    "another shape",
    { shape: [4], data: new Float32Array(4) },
    "WEIGHTS_MISFIT",
    "a in f.pth is 4, and small wants 2x2.",
  ],
  [
    "fewer numbers than its shape",
    { shape: [2, 2], data: new Float32Array(3) },
    "WEIGHTS_MISFIT",
    "a in f.pth has 3 numbers, and its shape 2x2 wants 4.",
  ],
  [
    "a number that is none",
    { shape: [2, 2], data: Float32Array.of(1, 2, Number.NaN, 4) },
    "WEIGHTS_NOT_FINITE",
    "a in f.pth has NaN as its number 2.",
  ],
])("a tensor of %s is refused", (_, tensor, code, message) => {
  expect(() => from(tensor)).toThrow(expect.objectContaining({ code, message }));
});
