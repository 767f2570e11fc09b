// Data before a training: what is left out and named, what is refused with a sentence, and what becomes of other labels.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import { type GivenData, type LearningData, prepareData } from "../../src/training/learning-data.ts";
import { PicturePool } from "../../src/training/pictures/picture-pool.ts";
import { TrainSettings } from "../../src/training/train-settings.ts";
import type { CocoJson } from "./support/data-folders.ts";
import { writeShapes } from "./support/drawn-shapes.ts";
import { tinySsd } from "./support/tiny-ssd.ts";

let root: string;
let pool: PicturePool;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-learning-data-"));
  pool = new PicturePool(tinySsd([], 1).spec.input, 1);
});
afterAll(async () => {
  await pool.close();
  await rm(root, { recursive: true, force: true });
});

let sets = 0;
/** The folder of a data set of eight pictures, after it was changed. */
async function made(change: (json: CocoJson, folder: string) => void | Promise<void> = () => {}): Promise<string> {
  const folder = join(root, `${(sets += 1)}`);
  const json = await writeShapes(folder, { pictures: 8, seed: sets, side: 64 });
  await change(json, folder);
  await writeFile(join(folder, "instances.json"), JSON.stringify(json));
  return folder;
}

async function prepare(given: GivenData, settings: Partial<TrainSettings> = {}): Promise<LearningData> {
  const steps = prepareData(given, TrainSettings.parse(settings), pool);
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}
const open = async (change?: Parameters<typeof made>[0]): Promise<GivenData["data"]> =>
  openDataset({ folder: await made(change) });

describe("refused with a sentence", () => {
  test.each<[string, (json: CocoJson) => void, string, RegExp]>([
    [
      "no object at all",
      (json) => void (json.annotations = []),
      "DATASET_EMPTY",
      /no object to learn from on the \d pic/,
    ],
    ["no picture", (json) => void ((json.images = []), (json.annotations = [])), "DATASET_INVALID", /images/],
    ["two pictures of one id", ({ images }) => void (images[1]!.id = 1), "DATASET_INVALID", /image.* 1/],
    ["two boxes of one id", ({ annotations }) => void (annotations[1]!.id = 1), "DATASET_INVALID", /annotation.* 1/],
    ["a box of no category", (json) => void (json.annotations[0]!.category_id = 77), "DATASET_INVALID", /category 77/],
    ["boxes outside alone", (json) => boxes(json, [200, 200, 5, 5]), "DATASET_EMPTY", /no object to learn from/],
    ["boxes of no size alone", (json) => boxes(json, [5, 5, 0, 9]), "DATASET_EMPTY", /no object to learn from/],
    ["boxes with negative sides", (json) => boxes(json, [5, 5, -3, 9]), "DATASET_INVALID", /negative side/],
  ])("%s", async (_, change, code, sentence) => {
    const data = made(change).then(async (folder) => prepare({ data: await openDataset({ folder }) }));
    await expect(data).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });

  test.each<[string, Partial<TrainSettings>, string, RegExp]>([
    ["a label that the data have not", { labels: ["star"] }, "LABEL_UNKNOWN", /no label "star"/],
    ["nothing to judge by", { validationShare: 0 }, "VALIDATION_EMPTY", /nothing to judge by/],
    ["nothing to learn from", { validationShare: 1 }, "VALIDATION_EMPTY", /nothing to learn from/],
  ])("%s", async (_, settings, code, sentence) => {
    const data = open().then((set) => prepare({ data: set }, settings));
    await expect(data).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });

  test("pictures of which none can be read: the first is named", async () => {
    const data = await open(async ({ images }, folder) => {
      for (const { file_name } of images) await writeFile(join(folder, "images", file_name), "no picture");
    });
    await expect(prepare({ data })).rejects.toThrow(
      /There is no picture to learn from in .* PICTURE_UNREADABLE: .*1\.png/,
    );
  });

  test("a validation set with nothing to find on it", async () => {
    const validation = await open((json) => void (json.annotations = []));
    await expect(prepare({ data: await open(), validation })).rejects.toMatchObject({ code: "VALIDATION_EMPTY" });
  });
});

test("one class, a picture without boxes, and one that cannot be read, which is left out and named", async () => {
  const data = await open(async (json, folder) => {
    json.categories = [{ id: 1, name: "shape" }];
    json.annotations = json.annotations.filter(({ image_id }) => image_id !== 2);
    for (const one of json.annotations) one.category_id = 1;
    const picture = join(folder, "images", "5.png");
    await writeFile(picture, (await readFile(picture)).subarray(0, 3000));
  });
  const { training, validation, warnings, hash } = await prepare({ data });
  expect(training.categories).toEqual([{ id: 1, name: "shape" }]);
  expect(training.pictures.length + validation.pictures.length).toBe(7);
  expect(warnings).toEqual([expect.stringMatching(/^Left out: PICTURE_UNREADABLE: .*5\.png: /)]);
  expect([...training.pictures, ...validation.pictures].some(({ objects }) => objects.length === 0)).toBe(true);
  expect((await prepare({ data })).hash).toBe(hash);
});

test("what looks like a picture of the validation set is not learnt from", async () => {
  const data = await open();
  const { training, validation, warnings } = await prepare({
    data,
    validation: { ...data, pictures: data.pictures.slice(0, 2) },
  });
  expect([training.pictures.length, validation.pictures.length]).toEqual([6, 2]);
  expect(warnings).toEqual([expect.stringMatching(/^2 pictures of .* look like some of/)]);
});

test("older pictures come under the labels of the new ones, and other objects on them are only not background", async () => {
  const replay = await open((json) => void (json.categories[0]!.name = "ring"));
  const { replay: mixed } = await prepare({ data: await open(), replay });
  const objects = mixed!.pictures.flatMap((picture) => picture.objects);
  const rings = replay.pictures.flatMap((picture) => picture.objects).filter(({ categoryId }) => categoryId === 1);
  expect(objects.filter(({ crowd }) => crowd)).toHaveLength(rings.length);
  expect(rings.length).toBeGreaterThan(0);
});

function boxes(json: CocoJson, bbox: readonly number[]): void {
  for (const one of json.annotations) one.bbox = bbox;
}
