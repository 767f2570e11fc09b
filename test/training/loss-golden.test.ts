// The loss and its gradient are torchvision's, by values kept of it.
import { describe, expect, test } from "vitest";
import { worstDifference } from "../model/support/differences.ts";
import { LOSS_CASES, ourLoss, readLossGoldens } from "./support/loss-golden.ts";

describe("the loss with the paper's settings is torchvision's to 1e-5", () => {
  const goldens = readLossGoldens();
  test.each(Object.keys(LOSS_CASES))("%s", (name) => {
    const ours = ourLoss(LOSS_CASES[name]!());
    const theirs = goldens[name]!;
    expect(Math.abs(ours.box / theirs.box - 1)).toBeLessThan(1e-5);
    expect(Math.abs(ours.class / theirs.class - 1)).toBeLessThan(1e-5);
    expect(ours.sampled).toHaveLength(theirs.sampled.length);
    expect(worstDifference(ours.sampled, theirs.sampled)).toBeLessThan(1e-5);
    for (const [i, size] of theirs.sizes.entries()) expect(Math.abs(ours.sizes[i]! / size - 1)).toBeLessThan(1e-5);
  });
});
