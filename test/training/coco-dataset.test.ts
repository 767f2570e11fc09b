// Data sets in COCO's format: where they lie, what is read, and a sentence for each thing that can be wrong with them.
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { type CocoJson, redCoco, writeCoco } from "./support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);

/** Opens the small data set after it was changed. */
async function openChanged(change: (json: CocoJson) => unknown, limit?: number): ReturnType<typeof openDataset> {
  const json = redCoco();
  change(json);
  await writeCoco(folder.path, json);
  return await openDataset({ folder: folder.path, limit });
}

describe("a data set in COCO's format", () => {
  it("has its classes, pictures and objects, boxes as they are written", async () => {
    const { format, source, categories, pictures, warnings } = await openChanged((json) => {
      json.categories.unshift({ id: 90, name: "blue" });
      json.annotations[0] = { ...json.annotations[0]!, area: 99, iscrowd: 1 };
      delete json.annotations[1]!.iscrowd;
    });
    expect({ format, source, warnings }).toEqual({ format: "coco", source: at("instances.json"), warnings: [] });
    expect(categories.map(({ id, name }) => [id, name])).toEqual([
      [7, "red"],
      [90, "blue"],
    ]);
    expect(pictures.map(({ id, file, width, height }) => [id, file, width, height])).toEqual([
      [1, at("images/1.png"), 64, 48],
      [2, at("images/2.png"), 40, 60],
      [3, at("images/3.png"), 50, 50],
    ]);
    const plain = { categoryId: 7, crowd: false, difficult: false };
    expect(pictures.flatMap(({ objects }) => objects)).toEqual([
      { ...plain, pictureId: 1, bbox: [8, 10, 20, 16], area: 99, crowd: true },
      { ...plain, pictureId: 2, bbox: [0, 0, 12, 12], area: 144 },
      { ...plain, pictureId: 3, bbox: [25, 25, 25, 25], area: 625 },
    ]);
  });

  it("may end after so many pictures, and then needs only these", async () => {
    await writeCoco(folder.path, redCoco());
    await rm(at("images/3.png"));
    const { pictures } = await openDataset({ folder: folder.path, limit: 2 });
    expect(pictures.map(({ id }) => id)).toEqual([1, 2]);
  });

  it.each([
    ["annotations.json", "1.png", undefined],
    ["_annotations.coco.json", "1.png", undefined],
    ["annotations/instances_val2017.json", "val2017/1.png", undefined],
    ["annotations/instances_val2017.json", "images/val2017/1.png", "val2017"],
    ["val/instances.json", "val/images/1.png", "val"],
  ])("is found as %s with %s", async (json, picture, split) => {
    await writeCoco(folder.path, redCoco());
    const move = async (from: string, to: string): Promise<void> => {
      await mkdir(dirname(at(to)), { recursive: true });
      await rename(at(from), at(to));
    };
    await move("instances.json", json);
    await move("images", "elsewhere");
    await move("elsewhere/1.png", picture);
    const dataset = await openDataset({ folder: folder.path, split, limit: 1 });
    expect([dataset.source, dataset.pictures[0]!.file]).toEqual([at(json), at(picture)]);
  });

  const bases = async (): Promise<string[]> =>
    (await openDataset({ folder: folder.path })).pictures.map(({ file }) => file);
  const three = (): string[] => [1, 2, 3].map((i) => at(`images/${i}.png`));

  it.each([
    ["backslashes", (name: string) => `images\\${name}`],
    ["the path of a Windows machine", (name: string) => `C:\\data\\images\\${name}`],
    ["the path of another machine", (name: string) => `/home/someone/images/${name}`],
    ["its own folder", (name: string) => `images/${name}`],
    ["another case", (name: string) => name.toUpperCase()],
  ])("may name its images with %s", async (_, change) => {
    const json = redCoco();
    await writeCoco(folder.path, {
      ...json,
      images: json.images.map((i) => ({ ...i, file_name: change(i.file_name) })),
    });
    expect(await bases()).toEqual(three());
  });

  it("may name its images by their own absolute paths", async () => {
    const json = redCoco();
    await writeCoco(folder.path, json);
    await rename(at("images"), at("elsewhere"));
    const images = json.images.map((i) => ({ ...i, file_name: at("elsewhere", i.file_name) }));
    await writeFile(at("instances.json"), JSON.stringify({ ...json, images }));
    expect(await bases()).toEqual([1, 2, 3].map((i) => at(`elsewhere/${i}.png`)));
  });

  it("finds names whose accents are composed otherwise on disk", async () => {
    const json = redCoco();
    json.images[0]!.file_name = "caf\u00e9/r\u00e9d.png";
    await writeCoco(folder.path, json);
    await mkdir(at("images/cafe\u0301"));
    await rename(at("images/1.png"), at("images/cafe\u0301/re\u0301d.png"));
    expect(await bases()).toEqual([at("images/cafe\u0301/re\u0301d.png"), at("images/2.png"), at("images/3.png")]);
  });

  it.each([
    ["UTF-8", Buffer.from([0xef, 0xbb, 0xbf]), "utf8"],
    ["UTF-16", Buffer.from([0xff, 0xfe]), "utf16le"],
  ] as const)("may begin with the byte order mark of %s", async (_, mark, encoding) => {
    await writeCoco(folder.path, redCoco());
    await writeFile(at("instances.json"), Buffer.concat([mark, Buffer.from(JSON.stringify(redCoco()), encoding)]));
    expect(await bases()).toEqual(three());
  });

  it("takes categories of one name for one class, and says so", async () => {
    const { categories, pictures, warnings } = await openChanged((json) => {
      json.categories.push({ id: 3, name: "red" }, { id: 9, name: "blue" });
      json.annotations[1]!.category_id = 3;
    });
    expect(categories).toEqual([
      { id: 3, name: "red" },
      { id: 9, name: "blue" },
    ]);
    expect(pictures.flatMap(({ objects }) => objects.map(({ categoryId }) => categoryId))).toEqual([3, 3, 3]);
    expect(warnings).toEqual(['The categories 3 and 7 are all named "red", and are one class.']);
  });

  it("refuses two images that could only be one file, and names both", async () => {
    const failure = openChanged(({ images }) => {
      images[0]!.file_name = "C:\\a\\1.png";
      images[1]!.file_name = "C:\\b\\1.png";
    });
    await expect(failure).rejects.toMatchObject({ code: "DATASET_INVALID" });
    await expect(failure).rejects.toThrow(/"C:\\\\a\\\\1.png" and "C:\\\\b\\\\1.png" would both be/);
  });

  it("stays within the folders that it is held to, however its images are named", async () => {
    const outside = await makeFolder();
    try {
      await writeFile(join(outside.path, "1.png"), "");
      const names = [join("..", basename(outside.path), "1.png"), `..\\..\\..\\..\\..\\..\\etc\\1.png`];
      for (const name of names) {
        const json = redCoco();
        json.images[0]!.file_name = join("..", name);
        await writeCoco(folder.path, json);
        const failure = openDataset({ folder: folder.path, onlyUnder: [folder.path] });
        await expect(failure).rejects.toMatchObject({ code: "FILE_NOT_ALLOWED" });
      }
      const json = redCoco();
      json.images[0]!.file_name = join(outside.path, "1.png");
      await writeCoco(folder.path, json);
      await rm(at("images/1.png"));
      const open = (onlyUnder?: string[]): ReturnType<typeof openDataset> =>
        openDataset({ folder: folder.path, onlyUnder });
      await expect(open([folder.path])).rejects.toMatchObject({ code: "PICTURE_MISSING" });
      expect((await open()).pictures[0]!.file).toBe(join(outside.path, "1.png"));
    } finally {
      await outside.remove();
    }
  });

  const real = testData("coco/val");

  it.skipIf(real === undefined)("reads COCO's own (needs the test data)", async () => {
    const { pictures, categories } = await openDataset({ folder: real! });
    const objects = pictures.flatMap((picture) => picture.objects);
    expect([pictures.length, categories.length, objects.length]).toEqual([192, 80, 1616]);
    expect(objects.filter(({ crowd }) => crowd)).toHaveLength(14);
  });
});

describe("a box", () => {
  it.each([
    ["without an area", [5, 5, 0, 9], "1 box without an area is left out; the first is", 2],
    ["outside the picture", [400, 5, 9, 9], "1 box outside the image is left out; the first is", 2],
    ["over the edge", [30, 5, 12, 9], "1 box reaches over the edge of the image and is kept as it is; the first is", 3],
    ["over the edge by a rounding", [30, 5, 10.6, 9], undefined, 3],
  ])("%s is counted: %j", async (_, bbox, sentence, objects) => {
    const { pictures, warnings } = await openChanged((json) => (json.annotations[1]!.bbox = bbox));
    expect(pictures.flatMap((picture) => picture.objects)).toHaveLength(objects);
    expect(warnings).toEqual(sentence === undefined ? [] : [`${sentence} ${at("instances.json")}, annotation 12.`]);
  });
});

describe("a mistake in the file", () => {
  const cases: [string, (json: CocoJson) => unknown, string][] = [
    ["an unknown category", ({ annotations: [a] }) => (a!.category_id = 99), "annotation 11: there is no category 99"],
    ["an unknown image", ({ annotations: [a] }) => (a!.image_id = 42), "annotation 11: there is no image 42"],
    [
      "a negative side",
      ({ annotations: [a] }) => (a!.bbox = [5, 5, -3, 2]),
      "annotation 11: the box [5, 5, -3, 2] has",
    ],
    ["three numbers for a box", ({ annotations: [a] }) => (a!.bbox = [5, 5, 3]), "annotations[0].bbox"],
    ["a picture twice", ({ images }) => images.push(images[0]!), "two of its entries are image 1"],
    [
      "an annotation twice",
      ({ annotations }) => annotations.push(annotations[0]!),
      "two of its entries are annotation 11",
    ],
    ["a category twice", ({ categories }) => categories.push(categories[0]!), "two of its entries are category 7"],
    ["no picture", (json) => (json.images = []), "images"],
    ["a picture without a width", ({ images: [image] }) => (image!.width = 0), "images[0].width"],
    ["no categories", (json) => delete (json as Partial<CocoJson>).categories, "categories"],
  ];

  it.each(cases)("such as %s is named", async (_, change, words) => {
    const failure = openChanged(change);
    await expect(failure).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringContaining(at("instances.json")) as string,
      hint: expect.stringMatching(/\w\.$/) as string,
    });
    await expect(failure).rejects.toThrow(words);
  });

  it("such as one that ends in the middle is named, without all its text", async () => {
    const text = JSON.stringify(redCoco());
    await writeCoco(folder.path, text.slice(0, text.length / 2));
    const failure = openDataset({ folder: folder.path });
    await expect(failure).rejects.toThrow(`${at("instances.json")}: it is not a whole JSON file`);
    await expect(failure).rejects.toMatchObject({ code: "DATASET_INVALID" });
  });
});

describe("what is not there", () => {
  it("is counted where it is pictures, and the first is named", async () => {
    const failure = openChanged(({ images }) => {
      images[1]!.file_name = "two.png";
      images[2]!.file_name = "three.png";
    });
    await expect(failure).rejects.toMatchObject({
      code: "PICTURE_MISSING",
      message: `2 of 3 images are not there; the first is ${at("images/two.png")}.`,
    });
  });

  it("is said where it is the folder, the annotations, a split, or the file that was named", async () => {
    const open = (options: Partial<Parameters<typeof openDataset>[0]>): ReturnType<typeof openDataset> =>
      openDataset({ folder: folder.path, ...options });
    const code = "DATASET_NOT_FOUND";
    await expect(open({ folder: at("no") })).rejects.toMatchObject({
      code,
      message: `There is no folder ${at("no")}.`,
    });
    await expect(open({})).rejects.toMatchObject({ code, message: `There is no annotation file in ${folder.path}.` });
    await expect(open({ split: "val" })).rejects.toThrow('for the split "val"');
    await expect(open({ annotations: at("x.json") })).rejects.toMatchObject({
      code,
      message: `There is no file ${at("x.json")}.`,
    });
    await mkdir(at("annotations"));
    for (const split of ["train", "val"]) await writeFile(at("annotations", `instances_${split}.json`), "{}");
    await expect(open({})).rejects.toThrow("several annotation files");
  });
});
