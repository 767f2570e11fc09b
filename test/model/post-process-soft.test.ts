// Soft-NMS on networks of a few boxes, with what it makes of their scores typed out.
import { describe, expect, test } from "vitest";
import { createPostProcess } from "../../src/model/post-process.ts";
import { found, headsOf, logit, NEVER, SETTINGS, specOf } from "./support/typed-heads.ts";

describe("Soft-NMS", () => {
  // IoU 0.25 of the first two, 0.5 of the last two, 0.125 of the first and the last.
  const nested = specOf([
    [1, 1],
    [0.5, 0.5],
    [0.25, 0.5],
  ]);
  const soft = { suppression: "soft", softSigma: 0.5, minScore: 0.01 } as const;
  const cats = headsOf(nested, [
    [NEVER, logit(0.9), NEVER],
    [NEVER, logit(0.8), NEVER],
    [NEVER, logit(0.7), NEVER],
  ]);

  test("lowers scores by exp(-IoU^2 / sigma) for each better box", () => {
    const second = 0.8 * Math.exp(-(0.25 ** 2) / 0.5);
    const third = 0.7 * Math.exp(-(0.125 ** 2) / 0.5) * Math.exp(-(0.5 ** 2) / 0.5);
    const scores = createPostProcess(nested, { ...SETTINGS, ...soft })(cats, 100, 100).map(({ score }) => score);
    expect(scores).toEqual([0.9, second, third].map((score) => expect.closeTo(score, 6)));
  });

  test("drops what falls below the threshold, and then lowers nothing by it", () => {
    // 0.8 falls to 0.79 at once, 0.70 to 0.69; at a small sigma both fall to next to nothing.
    expect(found(nested, cats, { ...soft, minScore: 0.5 })).toEqual(["cat 0.90", "cat 0.71"]);
    expect(found(nested, cats, { ...soft, softSigma: 0.01, minScore: 0.1 })).toEqual(["cat 0.90", "cat 0.15"]);
  });

  test("lowers other classes only where classes do not count", () => {
    const heads = headsOf(nested, [
      [NEVER, logit(0.9), NEVER],
      [NEVER, NEVER, logit(0.8)],
      [NEVER, NEVER, NEVER],
    ]);
    expect(found(nested, heads, soft)).toEqual(["cat 0.90", "dog 0.80"]);
    expect(found(nested, heads, { ...soft, classAgnostic: true })).toEqual(["cat 0.90", "dog 0.71"]);
  });

  test("lets a box that was lowered stand behind one that was not", () => {
    const heads = headsOf(nested, [
      [NEVER, logit(0.9), NEVER],
      [NEVER, logit(0.8), NEVER],
      [NEVER, NEVER, logit(0.75)],
    ]);
    expect(found(nested, heads, soft)).toEqual(["cat 0.90", "dog 0.75", "cat 0.71"]);
  });
});
