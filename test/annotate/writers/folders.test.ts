// Forms that are a folder with a file a frame: PASCAL VOC, read by our own reader, and YOLO, by its rules.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { vocFormat } from "../../../src/annotate/writers/voc.ts";
import { yoloFormat } from "../../../src/annotate/writers/yolo.ts";
import { labelText } from "../../../src/model/label-text.ts";
import { openDataset } from "../../../src/training/dataset.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { convert, ODD_LABELS, oddHeader, oddLine, picturesOf } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const EMPTY = { index: 4, pts: 0.16, detections: [] };

/** Puts an empty picture beside each annotation: readers ask for them. */
async function addPictures(target: string): Promise<void> {
  await mkdir(join(target, "JPEGImages"));
  for (const name of await readdir(join(target, "Annotations")))
    await writeFile(join(target, "JPEGImages", name.replace(/xml$/, "jpg")), "");
}

describe("PASCAL VOC", () => {
  it("is what our own reader takes for a data set, in whole pixels", async () => {
    const { target } = await convert(vocFormat, folder.path, exampleHeader(), [exampleLine(0), exampleLine(1), EMPTY]);
    await addPictures(target);
    const set = await openDataset({ folder: target, split: "default" });
    expect(set.warnings).toEqual([]);
    expect(set.categories.map(({ name }) => name)).toEqual(["dog", "person"]);
    expect(set.pictures.map(({ objects }) => objects.map(({ bbox }) => bbox))).toEqual([
      [
        [10, 20, 31, 40],
        [200, 120, 60, 50],
      ],
      [[11, 20, 31, 40]],
      [],
    ]);
  });

  it("keeps odd labels, and boxes within the picture", async () => {
    const big = { bbox: [-3, -2, 700, 500] as const, score: 0.5, label: ODD_LABELS[0]!, classId: 1 };
    const lines = [oddLine(), { index: 5, pts: 0.2, detections: [big] }];
    const { target } = await convert(vocFormat, folder.path, oddHeader(), lines);
    await addPictures(target);
    const set = await openDataset({ folder: target });
    expect(set.categories.map(({ name }) => name)).toEqual(ODD_LABELS.map(labelText).toSorted());
    expect(set.pictures[1]!.objects[0]!.bbox).toEqual([0, 0, 640, 480]);
  });

  it("refuses two pictures that would have one name, and says which", async () => {
    const { header, lines } = picturesOf("a/dog.jpg", "b/Dog.png");
    await expect(convert(vocFormat, folder.path, header, lines)).rejects.toMatchObject({
      code: "NAME_TAKEN",
      message: "b/Dog.png and a/dog.jpg would both be Dog.",
    });
  });
});

describe("YOLO", () => {
  it("has shares of the picture, classes without gaps, and an empty file for a frame with nothing on it", async () => {
    const { target } = await convert(yoloFormat, folder.path, exampleHeader(), [exampleLine(0), EMPTY]);
    expect((await readdir(join(target, "labels"))).toSorted()).toEqual(["clip_000000.txt", "clip_000004.txt"]);
    const text = await readFile(join(target, "labels/clip_000000.txt"), "utf8");
    expect(text).toBe("0 0.039453 0.083333 0.047656 0.083333\n1 0.359375 0.302604 0.093750 0.104167\n");
    expect(await readFile(join(target, "labels/clip_000004.txt"), "utf8")).toBe("");
    expect(parse(await readFile(join(target, "data.yaml"), "utf8"))).toEqual({
      path: ".",
      train: "images",
      val: "images",
      names: { 0: "person", 1: "dog" },
    });
    expect(await readFile(join(target, "classes.txt"), "utf8")).toBe("person\ndog\n");
  });

  it("keeps odd labels in its list of names, and is written for a video without frames", async () => {
    const { target } = await convert(yoloFormat, folder.path, oddHeader(), []);
    const { names } = parse(await readFile(join(target, "data.yaml"), "utf8")) as { names: Record<string, string> };
    expect(Object.values(names)).toEqual(ODD_LABELS);
    expect(await readdir(join(target, "labels"))).toEqual([]);
  });
});
