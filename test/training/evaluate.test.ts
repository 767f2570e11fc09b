// A detector that finds red, judged on pictures with red parts: figures, curves, warnings, unreadable pictures, interruption.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Picture } from "../../src/model/detection.ts";
import type { BatchResult, Detector } from "../../src/model/detector.ts";
import { openDataset } from "../../src/training/dataset.ts";
import { evaluate } from "../../src/training/evaluate.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { RedFinder } from "../support/red-finder.ts";
import { RED_PICTURES, redCoco, vocXml, writeCoco, writeVoc } from "./support/data-folders.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);

/** Two pictures at once, and keeps the sizes of its batches. */
function countingFinder(slots = 1): { detector: Detector; batches: number[] } {
  const finder = new RedFinder();
  const batches: number[] = [];
  const detect = async (pictures: readonly Picture[]): Promise<BatchResult> => {
    batches.push(pictures.length);
    return await finder.detect(pictures);
  };
  const { info } = finder;
  const nothing = (): Promise<void> => Promise.resolve();
  return { detector: { info, slots, maxBatch: 2, detect, warmUp: nothing, close: nothing }, batches };
}

describe("evaluate", () => {
  it("gives COCO's figures, the same for each class, curves, and what was found", async () => {
    await writeCoco(folder.path, redCoco());
    const { detector, batches } = countingFinder();
    const progress: number[] = [];
    const result = await evaluate(detector, await openDataset({ folder: folder.path }), {
      onProgress: (done, total) => progress.push(done, total),
    });
    expect(result).toMatchObject({ format: "coco", pictures: 3, objects: 3, warnings: [], failures: [] });
    expect(Object.keys(result.figures)).toHaveLength(12);
    expect(result.figures["AP"]).toBeCloseTo(1, 12);
    expect(result.classes).toMatchObject([{ name: "red", objects: 3, figures: { AR100: 1 } }]);
    expect(result.curves.map(({ name }) => name).filter((name) => /0\.[59]0/.test(name))).toEqual([
      "IoU 0.50",
      "IoU 0.90",
    ]);
    expect(result.classCurves.map(({ name, precision }) => [name, precision.length])).toEqual([["red", 101]]);
    // "grey" is no class of the data set.
    expect(result.found).toEqual(
      RED_PICTURES.map(({ red }, i) => ({ pictureId: i + 1, categoryId: 7, bbox: red, score: 0.9 })),
    );
    expect([batches, progress]).toEqual([
      [2, 1],
      [0, 3, 2, 3, 3, 3],
    ]);
    expect(result.speed).toMatchObject({ batch: 2, detectMs: 2 / 3 });
  });

  it("keeps the order of the pictures when the detector works on several batches at a time", async () => {
    const json = redCoco();
    for (let id = 4; id < 40; id++) json.images.push({ ...json.images[id % 3]!, id });
    await writeCoco(folder.path, json);
    const { detector, batches } = countingFinder(3);
    // The first batch is answered last of three.
    let calls = 0;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const detect = async (pictures: readonly Picture[]): Promise<BatchResult> => {
      calls += 1;
      if (calls === 3) release();
      if (calls === 1) await held;
      return await detector.detect(pictures);
    };
    const dataset = await openDataset({ folder: folder.path });
    const { found, pictures } = await evaluate({ ...detector, detect }, dataset);
    expect([pictures, batches.length]).toEqual([39, 20]);
    expect(found.map(({ pictureId }) => pictureId)).toEqual(Array.from({ length: 39 }, (_, i) => i + 1));
  });

  it("gives PASCAL VOC's figures, with and without difficult objects", async () => {
    await writeVoc(folder.path);
    const elsewhere = { ...RED_PICTURES[0]!, red: [40, 30, 5, 5] as const };
    await writeFile(at("Annotations/p1.xml"), vocXml(elsewhere, "<difficult>1</difficult>"));
    const dataset = await openDataset({ folder: folder.path });
    const plain = await evaluate(new RedFinder(), dataset);
    // Three equal scores, in the order of the pictures: wrong, right, right.
    expect(plain).toMatchObject({ format: "voc", pictures: 3, objects: 2 });
    expect(plain.figures["mAP2010"]).toBeCloseTo(2 / 3, 12);
    expect(plain.curves).toMatchObject([{ name: "IoU 0.50" }]);
    const strict = await evaluate(new RedFinder(), dataset, { countDifficult: true });
    expect(strict.objects).toBe(3);
    expect(strict.figures["mAP2010"]).toBeCloseTo(4 / 9, 12);
  });

  it("warns of classes that the model cannot find, and counts them as missed", async () => {
    const json = redCoco();
    json.categories.push({ id: 8, name: "unicorn" }, { id: 9, name: "dragon" });
    json.annotations[2]!.category_id = 8;
    await writeCoco(folder.path, json);
    const { figures, warnings } = await evaluate(new RedFinder(), await openDataset({ folder: folder.path }));
    expect(warnings).toEqual([
      "The model does not know 2 of 3 classes, whose 1 object counts as missed: unicorn, dragon.",
    ]);
    expect(figures["AR100"]).toBeCloseTo(0.5, 12);
  });

  it("leaves out a picture that cannot be read or has another size, says so, and judges the others", async () => {
    await writeCoco(folder.path, redCoco());
    await writeFile(at("images/1.png"), "no picture");
    const dataset = await openDataset({ folder: folder.path });
    const resized = {
      ...dataset,
      pictures: dataset.pictures.map((picture) => (picture.id === 2 ? { ...picture, width: 41 } : picture)),
    };
    const { pictures, objects, figures, failures } = await evaluate(new RedFinder(), resized);
    expect([pictures, objects]).toEqual([1, 1]);
    expect(figures["AR100"]).toBe(1);
    expect(failures).toEqual([
      expect.stringMatching(/images\/1\.png: PICTURE_UNREADABLE: /),
      expect.stringMatching(
        /images\/2\.png: PICTURE_MISMATCH: It has 40 x 60 pixels, and the annotations say 41 x 60\./,
      ),
    ]);
    await rm(at("images/3.png"));
    expect((await evaluate(new RedFinder(), resized)).failures[2]).toContain("FILE_NOT_READABLE");
  });

  it("ends between two batches when it is interrupted, and fails as the detector does", async () => {
    await writeCoco(folder.path, redCoco());
    const dataset = await openDataset({ folder: folder.path });
    const stop = new AbortController();
    const { detector, batches } = countingFinder();
    const run = evaluate(detector, dataset, { signal: stop.signal, onProgress: (done) => done > 0 && stop.abort() });
    await expect(run).rejects.toMatchObject({
      code: "INTERRUPTED",
      message: expect.stringContaining("2 of 3") as string,
    });
    expect(batches).toEqual([2]);
    const broken = new RedFinder();
    broken.failure = new Error("out of memory");
    await expect(evaluate(broken, dataset)).rejects.toThrow("out of memory");
  });
});
