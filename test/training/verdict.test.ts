// What a training is worth on its validation images, and when they say too little.
import { expect, test } from "vitest";
import type { DataPicture } from "../../src/training/truth.ts";
import { verdictOf } from "../../src/training/verdict.ts";
import { found, truth } from "./support/truths.ts";

const CATEGORIES = [{ id: 1, name: "person" }];
const OBJECTS = 6;

function imagesOf(count: number): DataPicture[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    file: `${id}.jpg`,
    width: 200,
    height: 20,
    objects: Array.from({ length: OBJECTS }, (__, at) => truth({ pictureId: id, bbox: [at * 30, 0, 10, 10] })),
  }));
}
/** Finds the first of each image's objects. */
const finds = (images: readonly DataPicture[], count: (image: number) => number) =>
  images.flatMap(({ id, objects }) => objects.slice(0, count(id)).map((one) => found(one)));

const verdict = (size: number, before: number, after: (image: number) => number, isChanged = true) => {
  const images = imagesOf(size);
  const [was, is] = [finds(images, () => before), finds(images, after)];
  return verdictOf({ images, categories: CATEGORIES, before: was, after: is, isChanged, seed: 1 });
};

test("a model that finds more on each image is offered, with the interval of the change", () => {
  const { outcome, reason, change, images, objects } = verdict(12, 3, () => 5);
  expect([outcome, images, objects]).toEqual(["offered", 12, 72]);
  expect(change).toMatchObject({ notWorse: 1 });
  expect(reason).toMatch(/^AP changed by \+\d+\.\d points, 90 % interval \+\d+\.\d to \+\d+\.\d; 100 of 100 resamples/);
});

test("a model that is better on one image and worse on most others is not offered", () => {
  const { outcome, reason } = verdict(12, 3, (image) => (image === 0 ? 6 : image < 8 ? 2 : 3));
  expect(outcome).toBe("not offered");
  expect(reason).toContain("90 are asked for");
});

test("a gain that rests on one image of many is not sure enough", () => {
  const { outcome, change } = verdict(12, 3, (image) => (image === 0 ? 6 : image === 1 ? 2 : 3));
  expect(change!.change).toBeGreaterThan(0);
  expect(change!.notWorse).toBeLessThan(0.9);
  expect(outcome).toBe("not offered");
});

test.each([
  [9, "9 validation images with 54 objects"],
  [1, "1 validation image with 6 objects"],
])("%i images say too little", (size, words) => {
  const { outcome, reason } = verdict(size, 3, () => 6);
  expect(outcome).toBe("not judged");
  expect(reason).toContain(words);
});

test("images with fewer than 50 objects say too little, crowds not counted", () => {
  const crowded = imagesOf(12).map((image) => ({
    ...image,
    objects: image.objects.map((one, at) => ({ ...one, crowd: at > 3 })),
  }));
  const detections = finds(crowded, () => 3);
  const settings = { images: crowded, categories: CATEGORIES, isChanged: true, seed: 1 };
  expect(verdictOf({ ...settings, before: [], after: detections })).toMatchObject({
    outcome: "not judged",
    objects: 48,
  });
});

test("where no epoch was better than the start, nothing is offered, and the sentence says that nothing was learned", () => {
  const { outcome, reason, change } = verdict(12, 3, () => 3, false);
  expect([outcome, change]).toEqual(["not offered", undefined]);
  expect(reason).toContain("Nothing was learned");
});
