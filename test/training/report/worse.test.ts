// Which images a report shows because the model makes more mistakes on them than before.
import { expect, test } from "vitest";
import { worseImages } from "../../../src/training/report/worse.ts";
import type { Dataset, Found } from "../../../src/training/truth.ts";
import { found, truth } from "../support/truths.ts";

const BOXES = [0, 30, 60].map((x) => [x, 0, 10, 10] as const);
const data: Dataset = {
  format: "coco",
  source: "yard",
  categories: [{ id: 1, name: "person" }],
  warnings: [],
  pictures: [1, 2, 3, 4].map((id) => ({
    id,
    file: `${id}.jpg`,
    width: 100,
    height: 100,
    objects: BOXES.map((bbox, at) => truth({ pictureId: id, bbox, crowd: at === 2 })),
  })),
};
const hit = (pictureId: number, at: number, score = 0.9): Found => found({ pictureId, bbox: BOXES[at]!, score });
const miss = (pictureId: number): Found => found({ pictureId, bbox: [0, 80, 10, 10] });

test("images with more missed objects or false detections are named, the worst first; unsure detections and crowds do not count", () => {
  const before = [hit(1, 0), hit(1, 1), hit(2, 0), hit(3, 0), hit(4, 0), hit(4, 2)];
  const after = [hit(1, 0), hit(1, 1, 0.4), hit(2, 0), miss(2), miss(2), hit(3, 0), hit(3, 1), hit(4, 0)];
  const worse = worseImages(data, before, after);
  expect(worse.map(({ image, before: was, after: is }) => [image.id, was, is])).toEqual([
    [2, { right: 1, wrong: 0 }, { right: 1, wrong: 2 }],
    [1, { right: 2, wrong: 0 }, { right: 1, wrong: 0 }],
  ]);
  expect(worseImages(data, before, before)).toEqual([]);
});
