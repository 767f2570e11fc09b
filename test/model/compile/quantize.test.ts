// Scales, zero points and integer weights: exact for typed-out numbers, and never further off than half a step.
import { describe, expect, test } from "vitest";
import { type Affine, affineOf, integerWeights } from "../../../src/model/compile/quantize.ts";
import { random } from "../../../src/model/random.ts";

const real = ({ scale, zeroPoint }: Affine, integer: number): number => (integer - zeroPoint) * scale;

describe("the integers of a range", () => {
  test.each([
    ["on both sides of zero", [-1, 1.55], { scale: 0.01, zeroPoint: 100 }],
    ["all positive, stretched to zero", [1, 2.55], { scale: 0.01, zeroPoint: 0 }],
    ["all negative, stretched to zero", [-2.55, -1], { scale: 0.01, zeroPoint: 255 }],
    ["nothing but zero", [0, 0], { scale: 1 / 255, zeroPoint: 0 }],
  ] as const)("%s", (_, range, { scale, zeroPoint }) => {
    const affine = affineOf(range);
    expect(affine.scale).toBeCloseTo(scale, 8);
    expect(affine.zeroPoint).toBe(zeroPoint);
  });

  test("reach over all of it, to half a step, and have a zero that is exact", () => {
    const next = random(3);
    for (let i = 0; i < 1000; i++) {
      const range = [-next() * 10 ** (next() * 6 - 3), next() * 10 ** (next() * 6 - 3)] as const;
      const affine = affineOf(range);
      expect(Number.isInteger(affine.zeroPoint) && affine.zeroPoint >= 0 && affine.zeroPoint <= 255).toBe(true);
      expect(real(affine, affine.zeroPoint)).toBe(0);
      expect(Math.abs(real(affine, 0) - range[0])).toBeLessThanOrEqual(affine.scale * 0.501);
      expect(Math.abs(real(affine, 255) - range[1])).toBeLessThanOrEqual(affine.scale * 0.501);
    }
  });
});

describe("integer weights", () => {
  test("have a scale of their own for each output channel", () => {
    const { weight, weightScale, bias, biasScale } = integerWeights(
      Float32Array.of(1.27, -0.64, 0.0127, 0.0001),
      Float32Array.of(1, -1),
      0.5,
    );
    expect([...weight]).toEqual([127, -64, 127, 1]);
    expect([...weightScale].map((scale) => scale.toPrecision(4))).toEqual(["0.01000", "0.0001000"]);
    expect([...bias]).toEqual([200, -20_000]);
    expect([...biasScale].map((scale) => scale.toPrecision(4))).toEqual(["0.005000", "0.00005000"]);
  });

  test("are within half a step of what they stand for, and biases too", () => {
    const next = random(5);
    const [channels, size] = [64, 27];
    const weights = Float32Array.from({ length: channels * size }, (_, i) => (next() - 0.5) * 10 ** ((i / size) % 5));
    const biases = Float32Array.from({ length: channels }, () => next() * 4 - 2);
    const { weight, weightScale, bias, biasScale } = integerWeights(weights, biases, 0.02);
    expect(Math.min(...weight)).toBeGreaterThanOrEqual(-127);
    for (const [i, value] of weights.entries()) {
      const scale = weightScale[Math.floor(i / size)]!;
      expect(Math.abs(weight[i]! * scale - value)).toBeLessThanOrEqual(scale * 0.501);
    }
    for (const [i, value] of biases.entries())
      expect(Math.abs(bias[i]! * biasScale[i]! - value)).toBeLessThanOrEqual(biasScale[i]! * 0.501 + 1e-6);
  });

  test("of a channel without weights leave its bias whole", () => {
    const { weight, bias, biasScale } = integerWeights(new Float32Array(4), Float32Array.of(1e6, 0), 1e-3);
    expect([...weight]).toEqual([0, 0, 0, 0]);
    expect(bias[0]! * biasScale[0]!).toBeCloseTo(1e6, 0);
    expect(Math.abs(bias[0]!)).toBeLessThanOrEqual(2 ** 30);
    expect(bias[1]).toBe(0);
  });
});
