// Data sets in PASCAL VOC's format: lists, boxes that count from 1 and include their last pixel, difficult objects, mistakes.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../../src/training/dataset.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { RED_PICTURES, vocXml, writeVoc } from "./support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
  await writeVoc(folder.path);
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);
const open = (split?: string): ReturnType<typeof openDataset> => openDataset({ folder: folder.path, split });

async function writeList(name: string, text: string): Promise<void> {
  await mkdir(at("ImageSets/Main"), { recursive: true });
  await writeFile(at("ImageSets/Main", name), text);
}

describe("a data set in PASCAL VOC's format", () => {
  it("is known by its folders, and has boxes of the house", async () => {
    const { format, source, categories, pictures, warnings } = await open();
    expect({ format, source, categories, warnings }).toEqual({
      format: "voc",
      source: at("Annotations"),
      categories: [{ id: 1, name: "red" }],
      warnings: [],
    });
    expect(pictures.map(({ id, file, width, height }) => ({ id, file, size: [width, height] }))).toEqual(
      RED_PICTURES.map(({ size }, i) => ({ id: i + 1, file: at("JPEGImages", `p${i + 1}.png`), size })),
    );
    expect(pictures.flatMap(({ objects }) => objects.map(({ bbox }) => bbox))).toEqual(
      RED_PICTURES.map(({ red }) => red),
    );
  });

  it("knows difficult objects, and pictures without any", async () => {
    await writeFile(at("Annotations/p1.xml"), vocXml(RED_PICTURES[0]!, "<difficult>1</difficult>"));
    await writeFile(at("Annotations/p2.xml"), vocXml(RED_PICTURES[1]!).replace(/<object>.*<\/object>/s, ""));
    const { pictures } = await open();
    expect(pictures.map(({ objects }) => objects.map(({ difficult }) => difficult))).toEqual([[true], [], [false]]);
  });

  it("takes the pictures of a list: test, or val, or the one that is asked for, which may have a second column", async () => {
    await writeList("val.txt", "p2\n");
    await writeList("red_train.txt", "p3  1\np1 -1\n");
    const names = async (split?: string): Promise<string[]> =>
      (await open(split)).pictures.map(({ file }) => file.slice(-6, -4));
    expect(await names()).toEqual(["p2"]);
    expect(await names("red_train")).toEqual(["p3", "p1"]);
    await writeList("test.txt", "p1\np3\n");
    expect(await names()).toEqual(["p1", "p3"]);
  });

  const real = testData("voc2012");

  it.skipIf(real === undefined)("reads VOC's own (needs the test data)", async () => {
    const { pictures, categories, warnings } = await openDataset({ folder: real! });
    expect([pictures.length, categories.length, warnings]).toEqual([100, 20, []]);
    expect(categories[0]).toEqual({ id: 1, name: "aeroplane" });
    expect(pictures.flatMap(({ objects }) => objects)).toHaveLength(273);
    const plane = pictures.find(({ file }) => file.endsWith("2007_000033.jpg"))!;
    expect(plane.objects[0]!.bbox).toEqual([8, 106, 491, 157]);
  });
});

describe("what is wrong with a data set in PASCAL VOC's format", () => {
  it.each([
    ["ends in the middle", (xml: string) => xml.slice(0, xml.length / 2), "it is not whole XML (line"],
    [
      "has a word for a number",
      (xml: string) => xml.replace(/<xmin>\d+/, "<xmin>left"),
      "annotation.object.0.bndbox.xmin",
    ],
    ["has no size", (xml: string) => xml.replace(/<size>.*<\/size>/s, ""), "annotation.size"],
    ["is something else", () => "<svg></svg>", "annotation"],
  ])("is said of an annotation that %s", async (_, spoil, words) => {
    await writeFile(at("Annotations/p2.xml"), spoil(vocXml(RED_PICTURES[1]!)));
    const failure = open();
    await expect(failure).rejects.toMatchObject({ code: "DATASET_INVALID" });
    await expect(failure).rejects.toThrow(at("Annotations/p2.xml"));
    await expect(failure).rejects.toThrow(words);
  });

  it("is said of a box whose right side is left of its left", async () => {
    await writeFile(at("Annotations/p2.xml"), vocXml({ ...RED_PICTURES[1]!, red: [9, 9, -4, 5] }));
    await expect(open()).rejects.toThrow("p2.xml, object 1: the box [9, 9, -4, 5] has a negative side");
  });

  it("is said of what is not there: a picture, an annotation, a list, all annotations", async () => {
    await writeList("short.txt", "p1\np9\n");
    await writeList("twice.txt", "p1\np1\n");
    await writeList("empty.txt", "\n");
    await expect(open("short")).rejects.toMatchObject({
      code: "PICTURE_MISSING",
      message: `1 of 2 pictures are not there; the first is ${at("JPEGImages/p9.jpg")}.`,
    });
    await expect(open("twice")).rejects.toThrow("p1 stands in it twice");
    await expect(open("empty")).rejects.toThrow("no picture stands in it");
    await expect(open("trainval")).rejects.toMatchObject({ code: "DATASET_NOT_FOUND" });
    await rm(at("Annotations/p1.xml"));
    await writeList("test.txt", "p1\n");
    await expect(open()).rejects.toThrow(`${at("Annotations/p1.xml")}: it is listed and cannot be read`);
    await rm(at("ImageSets"), { recursive: true });
    await rm(at("Annotations"), { recursive: true });
    await expect(openDataset({ folder: folder.path, format: "voc" })).rejects.toMatchObject({
      code: "DATASET_NOT_FOUND",
    });
  });
});
