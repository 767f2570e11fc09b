// Comparing what two runs found.
import { expect } from "vitest";
import type { Detection } from "../../../src/model/detection.ts";

/** Equal but for the rounding of sums, which depends on the size of the batch. */
export function expectSame(found: readonly Detection[], wanted: readonly Detection[]): void {
  const near = (value: number, digits: number): number => expect.closeTo(value, digits) as number;
  expect(found).toEqual(
    wanted.map(({ bbox, score, ...rest }) => ({
      ...rest,
      score: near(score, 4),
      bbox: bbox.map((side) => near(side, 1)),
    })),
  );
}
