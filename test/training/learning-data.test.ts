// Data before a training: what is left out and named, what is refused with a sentence, and what becomes of other labels.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import { type GivenData, type LearningData, prepareData } from "../../src/training/learning-data.ts";
import { PicturePool } from "../../src/training/pictures/picture-pool.ts";
import { TrainSettings } from "../../src/training/train-settings.ts";
import type { CocoJson } from "./support/data-folders.ts";
import { writeShapes } from "./support/drawn-shapes.ts";
import { writeFrames } from "./support/fixed-camera.ts";
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

async function prepare(
  given: GivenData,
  settings: Partial<TrainSettings> = {},
  former?: "hash" | "day",
): Promise<LearningData> {
  const steps = prepareData(given, { settings: TrainSettings.parse(settings), pool, former });
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
      /no object to train on in \d images? of/,
    ],
    ["no picture", (json) => void ((json.images = []), (json.annotations = [])), "DATASET_INVALID", /images/],
    ["two pictures of one id", ({ images }) => void (images[1]!.id = 1), "DATASET_INVALID", /image.* 1/],
    ["two boxes of one id", ({ annotations }) => void (annotations[1]!.id = 1), "DATASET_INVALID", /annotation.* 1/],
    ["a box of no category", (json) => void (json.annotations[0]!.category_id = 77), "DATASET_INVALID", /category 77/],
    ["boxes outside alone", (json) => boxes(json, [200, 200, 5, 5]), "DATASET_EMPTY", /no object to train on/],
    ["boxes of no size alone", (json) => boxes(json, [5, 5, 0, 9]), "DATASET_EMPTY", /no object to train on/],
    ["boxes with negative sides", (json) => boxes(json, [5, 5, -3, 9]), "DATASET_INVALID", /negative side/],
  ])("%s", async (_, change, code, sentence) => {
    const data = made(change).then(async (folder) => prepare({ data: await openDataset({ folder }) }));
    await expect(data).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });

  test.each<[string, Partial<TrainSettings>, string, RegExp]>([
    ["a label that the data have not", { labels: ["star"] }, "LABEL_UNKNOWN", /no label "star"/],
    ["nothing to judge by", { validationShare: 0 }, "VALIDATION_EMPTY", /nothing to validate by/],
    ["nothing to learn from", { validationShare: 1 }, "VALIDATION_EMPTY", /nothing to train on/],
  ])("%s", async (_, settings, code, sentence) => {
    const data = open().then((set) => prepare({ data: set }, settings));
    await expect(data).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });

  test("pictures of which none can be read: the first is named", async () => {
    const data = await open(async ({ images }, folder) => {
      for (const { file_name } of images) await writeFile(join(folder, "images", file_name), "no picture");
    });
    await expect(prepare({ data })).rejects.toThrow(/There is no image to train on in .* PICTURE_UNREADABLE: .*1\.png/);
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

describe("a validation set of its own", () => {
  /** Its first images are the first `same` of the data. */
  async function overlapping(count: number, same: number): Promise<GivenData> {
    const folder = join(root, `${(sets += 1)}`);
    await writeShapes(folder, { pictures: count, seed: sets, side: 64 });
    const data = await openDataset({ folder });
    return { data, validation: { ...data, source: "yard", pictures: data.pictures.slice(0, same) } };
  }

  test("leaves nearly identical images out of what is trained on, with a sentence, up to a tenth", async () => {
    const { training, validation, split, warnings } = await prepare(await overlapping(20, 2));
    expect([training.pictures.length, validation.pictures.length]).toEqual([18, 2]);
    expect(split).toEqual({ by: "validation", training: 18, validation: 2, gap: 0 });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^2 of 20 images of .* are nearly identical to images of yard, and left out\..* at most 2 of 64 bits/,
      ),
    ]);
  });

  test("stops where more than a tenth would be left out, with the numbers and the flag", async () => {
    await expect(prepare(await overlapping(20, 3))).rejects.toMatchObject({
      code: "VALIDATION_OVERLAP",
      message: expect.stringMatching(/^3 of 20 images of .* are nearly identical to images of yard\./) as string,
      hint: expect.stringContaining("--near-identical keep") as string,
    });
  });

  test("keeps or leaves out all of them where a setting says so", async () => {
    const given = await overlapping(20, 3);
    const kept = await prepare(given, { nearIdentical: "keep" });
    expect(kept.training.pictures).toHaveLength(20);
    expect(kept.warnings).toEqual([expect.stringMatching(/^3 of 20 images .* and trained on all the same/)]);
    expect((await prepare(given, { nearIdentical: "drop" })).training.pictures).toHaveLength(17);
  });

  test("of which all images to train on are images: the failure says so, and not that they have no boxes", async () => {
    const given = await overlapping(4, 4);
    await expect(prepare(given, { nearIdentical: "drop" })).rejects.toMatchObject({
      code: "DATASET_EMPTY",
      message: expect.stringMatching(/^All of 4 images of .* look like images of yard\./) as string,
    });
  });

  test("counts for older images that are mixed in, too", async () => {
    const { data, validation } = await overlapping(20, 2);
    const other = await open();
    const replay = (pictures: GivenData["data"]["pictures"]): GivenData => {
      return { data: other, validation, replay: { ...data, pictures } };
    };
    expect((await prepare(replay(data.pictures))).replay!.pictures).toHaveLength(18);
    await expect(prepare(replay(data.pictures.slice(0, 9)))).rejects.toMatchObject({ code: "VALIDATION_OVERLAP" });
  });
});

describe("frames of a fixed camera", () => {
  test("are split by the numbers in their names: the last ones validate, after a gap", async () => {
    const { training, validation, split, warnings } = await prepare({ data: await fixedCamera(40) });
    expect(split).toEqual({ by: "time", training: 30, validation: 8, gap: 2, streams: 1 });
    expect([names(training)[0], names(training).at(-1), ...names(validation)]).toEqual(
      [0, 29, 32, 33, 34, 35, 36, 37, 38, 39].map((i) => `f${String(i * 8).padStart(4, "0")}.png`),
    );
    expect(warnings).toEqual([]);
  });

  test("fall back to the last ones with a warning where groups of look-alikes are asked for, never to one judge alone", async () => {
    const { split, warnings } = await prepare({ data: await fixedCamera(40) }, { splitBy: "hash" });
    expect(split).toEqual({ by: "time", training: 30, validation: 8, gap: 2, streams: 1 });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^By groups of look-alikes only 0 of 40 images could validate instead of 8: the last images/,
      ),
    ]);
  });

  test("of a run that version 0.1.0 began are split as it did, and have the hash that it had", async () => {
    const data = await fixedCamera(40);
    const former = prepare({ data }, {}, "hash");
    await expect(former).rejects.toMatchObject({ code: "VALIDATION_EMPTY" });
    const odd = await fixedCamera(40, undefined, 39);
    const { split, hash, warnings } = await prepare({ data: odd }, {}, "hash");
    expect([split, warnings]).toEqual([{ by: "hash", training: 39, validation: 1, gap: 0 }, []]);
    expect((await prepare({ data: odd })).hash).not.toBe(hash);
  });

  test("have another hash where their order is another one, so that no checkpoint of the other split is resumed", async () => {
    const data = await fixedCamera(40);
    const { hash } = await prepare({ data });
    const reverse = (file: string): string => file.replace(/f(\d+)/, (_, digits) => `f${9999 - Number(digits)}`);
    const moved = await fixedCamera(40, reverse);
    expect((await prepare({ data: moved })).hash).not.toBe(hash);
    expect((await prepare({ data: await fixedCamera(40) })).hash).toBe(hash);
  });

  test("that version 0.1.0 captured are split by their time", async () => {
    const former = join(import.meta.dirname, "../fixtures/data-0.1.0/data/captures/20261130T181123673-cam-5");
    const [text, jpeg] = [await readFile(`${former}.capture.json`, "utf8"), await readFile(`${former}.jpg`)];
    const folder = join(root, `${(sets += 1)}`);
    await mkdir(folder);
    // Later captures first, of two streams.
    for (let i = 29; i >= 0; i--) {
      const [stream, time] = [
        i % 3 === 0 ? "gate" : "cam",
        new Date(Date.UTC(2026, 10, 30, 18) + i * 5000).toISOString(),
      ];
      const id = `${time.replaceAll(/[-:.Z]/g, "")}-${stream}-${i}`;
      await writeFile(join(folder, `${id}.jpg`), jpeg);
      const sidecar = { ...(JSON.parse(text) as object), id, stream, seq: i, time };
      await writeFile(join(folder, `${id}.capture.json`), JSON.stringify(sidecar));
    }
    const { validation, split } = await prepare({ data: await openDataset({ folder }) });
    expect(split).toEqual({ by: "time", training: 21, validation: 6, gap: 3, streams: 2 });
    expect(names(validation).map((name) => name.replace(/^\w+-|\.jpg$/g, ""))).toEqual([
      "gate-24",
      "cam-25",
      "cam-26",
      "gate-27",
      "cam-28",
      "cam-29",
    ]);
  });

  const names = ({ pictures }: GivenData["data"]): string[] => pictures.map(({ file }) => basename(file));

  /** Images that all look alike, one in eight frames. */
  async function fixedCamera(
    count: number,
    rename = (file: string): string => file,
    odd?: number,
  ): Promise<GivenData["data"]> {
    const folder = join(root, `${(sets += 1)}`);
    await writeFrames(folder, { count, rename, odd });
    return openDataset({ folder });
  }
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
