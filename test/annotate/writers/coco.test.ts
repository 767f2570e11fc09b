// COCO's forms, read by our own reader and by pycocotools.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cocoFormat, cocoResultsFormat } from "../../../src/annotate/writers/coco.ts";
import { openDataset } from "../../../src/training/dataset.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { pythonHas, runPython } from "../../support/python.ts";
import { convert, ODD_LABELS, oddHeader, oddLine, picturesOf } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const LINES = [0, 1, 2, 5].map(exampleLine);

describe("COCO's instances", () => {
  it("are what our own reader takes for a data set, with the names that ffmpeg gives the frames", async () => {
    const { target } = await convert(cocoFormat, folder.path, exampleHeader(), LINES);
    const pictures = join(folder.path, "images");
    await mkdir(pictures);
    const files = LINES.map(({ index }) => join(pictures, `clip_00000${index}.jpg`));
    for (const file of files) await writeFile(file, "");
    const set = await openDataset({ folder: folder.path, annotations: target });
    expect(set.categories).toEqual([
      { id: 1, name: "person" },
      { id: 18, name: "dog" },
    ]);
    expect(set.pictures.map(({ id, file, width }) => [id, file, width])).toEqual(
      LINES.map(({ index }, i) => [index + 1, files[i], 640]),
    );
    const boxes = set.pictures.map(({ objects }) => objects.map(({ bbox, categoryId }) => [categoryId, ...bbox]));
    expect(boxes).toEqual(LINES.map((line) => line.detections.map(({ bbox, classId }) => [classId, ...bbox])));
  });

  it("say which frame and time an image is, number annotations from 1, and keep the scores", async () => {
    const { text } = await convert(cocoFormat, folder.path, exampleHeader(), LINES);
    const { images, annotations } = JSON.parse(text) as Record<string, { id: number }[]>;
    expect(images!.at(-1)).toMatchObject({ id: 6, frame: 5, pts: 0.2 });
    expect(annotations!.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(annotations![1]).toMatchObject({ image_id: 1, score: 0.625, area: 3000, iscrowd: 0, segmentation: [] });
  });

  it("are whole JSON for odd labels, a frame without anything, no frame, and pictures under their own names", async () => {
    const odd = await convert(cocoFormat, folder.path, oddHeader(), [oddLine()]);
    const parsed = JSON.parse(odd.text) as { categories: { name: string }[]; images: { file_name: string }[] };
    expect(parsed.categories.map(({ name }) => name)).toEqual(ODD_LABELS);
    expect(parsed.images[0]!.file_name).toBe("straße & <co> 50%.final_000003.jpg");
    const nothing = await convert(cocoFormat, folder.path, exampleHeader(), [{ index: 0, pts: 0, detections: [] }]);
    expect(JSON.parse(nothing.text)).toMatchObject({ images: [{ id: 1 }], annotations: [] });
    const empty = await convert(cocoFormat, folder.path, exampleHeader(), []);
    expect(JSON.parse(empty.text)).toMatchObject({ images: [], annotations: [] });
    const { header, lines } = picturesOf("a/x.png", "b/Ä ö.jpg");
    const own = JSON.parse((await convert(cocoFormat, folder.path, header, lines)).text) as typeof parsed;
    expect(own.images).toMatchObject([
      { file_name: "x.png", width: 100 },
      { file_name: "Ä ö.jpg", width: 101 },
    ]);
  });

  it.skipIf(!pythonHas("pycocotools"))(
    "evaluated by pycocotools against themselves give AP 1, as a data set and as results (needs Python with pycocotools)",
    async () => {
      const { target } = await convert(cocoFormat, folder.path, exampleHeader(), LINES);
      const results = await convert(cocoResultsFormat, folder.path, exampleHeader(), LINES);
      const script = join(import.meta.dirname, "coco-self.py");
      const figures = JSON.parse(await runPython(script, [target, results.target])) as Record<string, number[]>;
      // AP, AP50 and AP75.
      for (const judged of ["instances", "results"])
        for (const figure of figures[judged]!.slice(0, 3)) expect(figure).toBeCloseTo(1, 9);
    },
  );
});
