// Post-processing on networks of a few boxes, with what they say and what must come of it typed out.
import { describe, expect, test } from "vitest";
import { choosePostProcess, createPostProcess } from "../../src/model/post-process.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { tinySpec } from "./support/tiny-spec.ts";
import { found, headsOf, logit, NEVER, SETTINGS, specOf } from "./support/typed-heads.ts";

describe("non-maximum suppression", () => {
  // The second box covers a quarter of the first: their IoU is exactly 0.25.
  const nested = specOf([
    [1, 1],
    [0.5, 0.5],
  ]);
  const bothCats = headsOf(nested, [
    [NEVER, logit(0.9), NEVER],
    [NEVER, logit(0.8), NEVER],
  ]);

  test("drops the worse of two boxes of one class that overlap by more than the threshold", () => {
    expect(found(nested, bothCats, { iouThreshold: 0.2499 })).toEqual(["cat 0.90"]);
  });

  test("keeps both where they overlap by exactly the threshold", () => {
    expect(found(nested, bothCats, { iouThreshold: 0.25 })).toEqual(["cat 0.90", "cat 0.80"]);
  });

  test("keeps the better one wherever it stands", () => {
    const heads = headsOf(nested, [
      [NEVER, logit(0.4), NEVER],
      [NEVER, logit(0.7), NEVER],
    ]);
    expect(found(nested, heads, { iouThreshold: 0.1 })).toEqual(["cat 0.70"]);
  });

  test("lets boxes of different classes overlap, even when they are the same box", () => {
    const heads = headsOf(nested, [
      [NEVER, logit(0.9), logit(0.6)],
      [NEVER, NEVER, logit(0.8)],
    ]);
    expect(found(nested, heads, { iouThreshold: 0.1 })).toEqual(["cat 0.90", "dog 0.80"]);
  });

  test("classes with one label are kinds of it: they suppress each other, and have the first one's id", () => {
    const kinds = { ...nested, labels: [null, "cat", "cat"] };
    const heads = headsOf(kinds, [
      [NEVER, logit(0.6), logit(0.9)],
      [NEVER, NEVER, logit(0.8)],
    ]);
    expect(found(kinds, heads, { iouThreshold: 0.3 })).toEqual(["cat 0.90", "cat 0.80"]);
    expect(found(kinds, heads, { iouThreshold: 0.2 })).toEqual(["cat 0.90"]);
    const [one] = createPostProcess(kinds, { ...SETTINGS, minScore: 0.5 })(heads, 100, 100);
    expect(one).toMatchObject({ label: "cat", classId: 1 });
  });

  test("a box that was dropped drops no other", () => {
    // IoU of neighbours in size: 0.5; of the first and the third: 0.25.
    const chain = specOf([
      [1, 1],
      [1, 0.5],
      [1, 0.25],
    ]);
    const heads = headsOf(chain, [
      [NEVER, logit(0.9), NEVER],
      [NEVER, logit(0.8), NEVER],
      [NEVER, logit(0.7), NEVER],
    ]);
    expect(found(chain, heads)).toEqual(["cat 0.90", "cat 0.70"]);
  });

  test("overlap is measured after clipping: what lies off the picture does not count", () => {
    // Both are shifted by a whole side to the right; only the left halves are seen, 0.5 x 1 and 0.25 x 0.5.
    const shifted = headsOf(
      nested,
      [
        [NEVER, logit(0.9), NEVER],
        [NEVER, logit(0.8), NEVER],
      ],
      [
        [5, 0, 0, 0],
        [10, 0, 0, 0],
      ],
    );
    expect(found(nested, shifted, { iouThreshold: 0.24 })).toEqual(["cat 0.90"]);
    expect(found(nested, shifted, { iouThreshold: 0.26 })).toEqual(["cat 0.90", "cat 0.80"]);
  });

  test("of all classes together, a box drops those of other classes too", () => {
    const heads = headsOf(nested, [
      [NEVER, logit(0.9), logit(0.6)],
      [NEVER, NEVER, logit(0.8)],
    ]);
    expect(found(nested, heads, { classAgnostic: true })).toEqual(["cat 0.90", "dog 0.80"]);
    expect(found(nested, heads, { classAgnostic: true, iouThreshold: 0.1 })).toEqual(["cat 0.90"]);
  });

  test("of the best of a class only, does not bring back others in place of what it drops", () => {
    const apart = tinySpec({ maps: [{ cells: 2, boxes: [{ scale: 0.2, ratio: 1 }] }] });
    const four = [0.9, 0.8, 0.7, 0.6].map((score) => [NEVER, logit(score), logit(score - 0.25)]);
    // The second box is moved onto the first, half the picture's width, which is 2.5 of its own, at a variance of 0.1.
    const heads = headsOf(apart, four, [
      [0, 0, 0, 0],
      [-25, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const all = ["cat 0.90", "cat 0.70", "dog 0.65", "cat 0.60", "dog 0.45", "dog 0.35"];
    expect(found(apart, heads)).toEqual(all);
    expect(found(apart, heads, { topKPerClass: 4 })).toEqual(all);
    expect(found(apart, heads, { topKPerClass: 2 })).toEqual(["cat 0.90", "dog 0.65"]);
    expect(found(apart, heads, { topKPerClass: 3 })).toEqual(["cat 0.90", "cat 0.70", "dog 0.65", "dog 0.45"]);
  });
});

describe("what is reported", () => {
  const spec = tinySpec({ labels: [null, "cat", null, "dog"] });

  test("best first, over all classes", () => {
    expect(found(spec, headsOf(spec, [[NEVER, logit(0.5), NEVER, logit(0.9)]]))).toEqual(["dog 0.90", "cat 0.50"]);
  });

  test("at most maxDetections, the best ones", () => {
    const heads = headsOf(spec, [[NEVER, logit(0.5), NEVER, logit(0.9)]]);
    expect(found(spec, heads, { maxDetections: 1 })).toEqual(["dog 0.90"]);
  });

  test("a score that equals the threshold counts", () => {
    const heads = headsOf(spec, [[NEVER, 0, NEVER, -0.001]]);
    expect(found(spec, heads, { minScore: 0.5 })).toEqual(["cat 0.50"]);
  });

  test("neither the background nor a gap in the ids, whatever their scores", () => {
    expect(found(spec, headsOf(spec, [[50, logit(0.4), 50, NEVER]]))).toEqual(["cat 0.40"]);
  });

  test("class ids are the indices of the labels", () => {
    const [dog] = createPostProcess(spec, SETTINGS)(headsOf(spec, [[NEVER, NEVER, NEVER, 3]]), 1, 1);
    expect(dog).toMatchObject({ label: "dog", classId: 3 });
  });

  test("nothing where nothing is", () => {
    expect(found(spec, headsOf(spec, [[3, NEVER, NEVER, NEVER]]))).toEqual([]);
  });

  test("not a number is no score", () => {
    const broken = headsOf(spec, [[Number.NaN, Number.NaN, Number.NaN, Number.NaN]]);
    expect(found(spec, broken)).toEqual([]);
    expect(found({ ...spec, scores: "softmax" }, broken)).toEqual([]);
  });

  test("a threshold of 0 lets everything through, one of 1 only what is certain", () => {
    const heads = headsOf(spec, [[NEVER, NEVER, NEVER, 200]]);
    expect(found(spec, heads, { minScore: 0 })).toEqual(["dog 1.00", "cat 0.00"]);
    expect(found({ ...spec, scores: "softmax" }, heads, { minScore: 0 })).toEqual(["dog 1.00", "cat 0.00"]);
    expect(found({ ...spec, scores: "softmax" }, heads, { minScore: 1 })).toEqual(["dog 1.00"]);
  });

  test("equal scores keep the order of the default boxes, then that of the classes", () => {
    const apart = tinySpec({ maps: [{ cells: 2, boxes: [{ scale: 0.2, ratio: 1 }] }], labels: [null, "cat", "dog"] });
    const heads = headsOf(apart, [
      [NEVER, NEVER, 1],
      [NEVER, 1, 1],
      [NEVER, 2, NEVER],
      [NEVER, 1, NEVER],
    ]);
    const detections = createPostProcess(apart, SETTINGS)(heads, 100, 100);
    const places = detections.map(({ label, bbox: [x, y] }) => [label, Math.round(x), Math.round(y)]);
    expect(places).toEqual([
      ["cat", 15, 65],
      ["dog", 15, 15],
      ["cat", 65, 15],
      ["dog", 65, 15],
      ["cat", 65, 65],
    ]);
  });
});

describe("scores", () => {
  test("of a sigmoid are each logit's own", () => {
    const spec = tinySpec({ scores: "sigmoid" });
    expect(found(spec, headsOf(spec, [[9, Math.log(3), Math.log(2)]]))).toEqual(["cat 0.75", "dog 0.67"]);
  });

  test("of a softmax are shares of all classes, the background among them", () => {
    const spec = tinySpec({ scores: "softmax" });
    const heads = headsOf(spec, [[Math.log(2), Math.log(5), Math.log(3)]]);
    expect(found(spec, heads, { minScore: 0 })).toEqual(["cat 0.50", "dog 0.30"]);
  });

  test("of a softmax do not overflow, however large the logits", () => {
    const spec = tinySpec({ scores: "softmax" });
    expect(found(spec, headsOf(spec, [[3e38, 3e38, -3e38]]))).toEqual(["cat 0.50"]);
  });
});

describe("boxes", () => {
  const half = specOf([[0.5, 0.5]]);
  const boxOf = (offsets: readonly number[], width: number, height: number): readonly number[] => {
    const heads = headsOf(half, [[NEVER, 5, NEVER]], [offsets]);
    return createPostProcess(half, SETTINGS)(heads, width, height)[0]!.bbox;
  };

  test("are x, y, width, height in pixels of the picture, whatever its shape", () => {
    expect(boxOf([0, 0, 0, 0], 200, 100)).toEqual([50, 25, 100, 50]);
  });

  test("are clipped to the picture", () => {
    // Half a side to the right, a quarter up: 0.75..1.25 of the width, 0..0.5 of the height.
    expect(boxOf([10, -5, 0, 0], 200, 100)).toEqual([150, 0, 50, 50]);
  });

  test.each([
    ["lie wholly off the picture", [100, 0, 0, 0]],
    ["only touch its edge", [-15, 0, 0, 0]],
    ["have no width", [0, 0, -1e5, 0]],
    ["are no boxes", [0, 0, 0, Number.NaN]],
  ])("are not reported where they %s", (_, offsets) => {
    const heads = headsOf(half, [[NEVER, 5, NEVER]], [offsets]);
    expect(found(half, heads)).toEqual([]);
    expect(found(half, heads, { suppression: "soft" })).toEqual([]);
  });
});

describe("one picture of a batch", () => {
  test("its heads are read from where they begin", () => {
    const spec = specOf([
      [0.5, 0.5],
      [1, 1],
    ]);
    const logits = Float32Array.from([9, 9, 9, 9, 9, 9, NEVER, NEVER, 2, NEVER, NEVER, NEVER]);
    const offsets = Float32Array.from([9, 9, 9, 9, 9, 9, 9, 9, 2, 0, 0, 0, 0, 0, 0, 0]);
    const second = { logits, logitsAt: 6, offsets, offsetsAt: 8 };
    const detections = createPostProcess(spec, SETTINGS)(second, 100, 100);
    expect(detections).toHaveLength(1);
    expect(detections[0]).toMatchObject({ label: "dog", bbox: [expect.closeTo(35, 4), 25, expect.closeTo(50, 4), 50] });
  });

  test("leaves nothing behind for the next", () => {
    const spec = specOf([[0.5, 0.5]]);
    const postProcess = createPostProcess(spec, SETTINGS);
    const first = headsOf(spec, [[NEVER, 2, NEVER]], [[5, 5, 5, 5]]);
    const second = headsOf(spec, [[NEVER, 1, NEVER]]);
    const alone = createPostProcess(spec, SETTINGS)(second, 100, 100);
    postProcess(first, 100, 100);
    expect(postProcess(second, 100, 100)).toEqual(alone);
  });
});

test("a run chooses what it does otherwise, and undefined chooses nothing", () => {
  const chosen = choosePostProcess(SSDLITE_MOBILENET_V2, { iouThreshold: 0.6, minScore: undefined, topKPerClass: 400 });
  expect(chosen).toEqual({ ...SSDLITE_MOBILENET_V2.postProcess, iouThreshold: 0.6, topKPerClass: 400 });
  expect(choosePostProcess(SSDLITE_MOBILENET_V2)).toEqual(SSDLITE_MOBILENET_V2.postProcess);
});
