// The default boxes are where OpenCV's PriorBox layer and torchvision's DefaultBoxGenerator lay them, by values kept of these.
import { expect, test } from "vitest";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import { SPECS } from "../../src/model/specs.ts";
import { boxGolden, readBoxGoldens } from "./support/box-golden.ts";
import { worstDifference } from "./support/differences.ts";

const goldens = readBoxGoldens();

test.each([
  ["ssd300-vgg16-voc", 8732],
  ["ssd300-vgg16-coco", 8732],
  ["ssd300-vgg16-torchvision", 8732],
  ["ssd512-vgg16-voc", 24_564],
  ["ssd512-vgg16-coco", 24_564],
])("%s: of %d boxes those that are kept are equal to 1e-6, and the sums over each map to 1e-3", (name, count) => {
  const spec = SPECS.find((one) => one.name === name)!;
  const theirs = goldens[name]!;
  const ours = boxGolden(spec, defaultBoxes(spec));
  expect([ours.count, theirs.count]).toEqual([count, count]);
  expect(worstDifference(ours.sampled, theirs.sampled)).toBeLessThan(1e-6);
  // Sums over thousands of boxes, of what each has by rounding.
  expect(worstDifference(ours.sums, theirs.sums)).toBeLessThan(1e-3);
});

test.each([
  ["ssd300-vgg16-ilsvrc", "ssd300-vgg16-coco"],
  ["ssd512-vgg16-ilsvrc", "ssd512-vgg16-coco"],
])("%s has the boxes of %s", (one, other) => {
  const [a, b] = [one, other].map((name) => defaultBoxes(SPECS.find((spec) => spec.name === name)!));
  expect(worstDifference(a!, b!)).toBe(0);
});
