// Any labels and boxes go through every writer, and its readers give the same back within the format's rounding.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AnnotationHeader, FrameLine } from "../../../src/annotate/annotation.ts";
import { assFormat } from "../../../src/annotate/writers/ass.ts";
import { cocoFormat } from "../../../src/annotate/writers/coco.ts";
import { csvFormat } from "../../../src/annotate/writers/csv.ts";
import { cvatFormat } from "../../../src/annotate/writers/cvat.ts";
import { labelStudioFormat } from "../../../src/annotate/writers/label-studio.ts";
import { motFormat } from "../../../src/annotate/writers/mot.ts";
import { srtFormat, vttFormat } from "../../../src/annotate/writers/subtitles.ts";
import { vocFormat } from "../../../src/annotate/writers/voc.ts";
import { yoloFormat } from "../../../src/annotate/writers/yolo.ts";
import { labelText } from "../../../src/model/label-text.ts";
import { openDataset } from "../../../src/training/dataset.ts";
import type { Dataset } from "../../../src/training/truth.ts";
import { fc } from "../../support/fast-check.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { convert } from "../support/convert.ts";
import { exampleHeader } from "../support/example.ts";
import { inXml, NASTY_LABELS } from "../support/nasty-labels.ts";

type Detections = FrameLine["detections"];

const SIZE = { width: 640, height: 480 };
const RUNS = { numRuns: 10, seed: 20261130 } as const;

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const label = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.constantFrom(...NASTY_LABELS),
);

/** Sides of at least two pixels, within the frame. */
const box = fc
  .tuple(...[0, 1, 2, 3].map(() => fc.double({ min: 0, max: 1, noNaN: true })))
  .map(([a, b, c, d]): [number, number, number, number] => {
    const [x, y] = [a! * (SIZE.width - 2), b! * (SIZE.height - 2)];
    return [x, y, 2 + c! * (SIZE.width - 2 - x), 2 + d! * (SIZE.height - 2 - y)];
  });

const annotations = fc
  .uniqueArray(label, { minLength: 1, maxLength: 5 })
  .chain((labels) =>
    fc.record({
      labels: fc.constant(labels),
      found: fc.array(fc.tuple(fc.nat({ max: labels.length - 1 }), box), { minLength: 1, maxLength: 6 }),
    }),
  )
  .map(({ labels, found }) => {
    const example = exampleHeader(SIZE);
    const known = labels.map((name, i) => ({ classId: i + 1, label: name }));
    const header: AnnotationHeader = { ...example, model: { ...example.model, labels: known } };
    const detections: Detections = found.map(([i, bbox]) => ({ ...known[i]!, score: 0.5, bbox }));
    return { header, lines: [{ index: 0, pts: 0, detections }], labels, detections };
  });

type Given = typeof annotations extends fc.Arbitrary<infer T> ? T : never;

/** Writes the annotations in this form, each time into a new folder. */
async function written(
  format: Parameters<typeof convert>[0],
  { header, lines }: Given,
): Promise<{ target: string; text: string }> {
  await rm(folder.path, { recursive: true, force: true });
  await mkdir(folder.path);
  return await convert(format, folder.path, header, lines);
}

const check = (property: (given: Given) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(annotations, property), RUNS);

function near(boxes: readonly (readonly number[])[], detections: Detections, tolerance: number): void {
  expect(boxes).toHaveLength(detections.length);
  for (const [i, { bbox }] of detections.entries())
    for (const [k, value] of bbox.entries()) expect(Math.abs(boxes[i]![k]! - value)).toBeLessThanOrEqual(tolerance);
}

function namesIn({ categories, pictures }: Dataset): string[] {
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  return pictures.flatMap(({ objects }) => objects.map(({ categoryId }) => nameOf.get(categoryId)!));
}
const boxesIn = ({ pictures }: Dataset): (readonly number[])[] =>
  pictures.flatMap(({ objects }) => objects.map(({ bbox }) => bbox));

const labelsOf = (detections: Detections): string[] => detections.map((one) => one.label);

// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

describe("any labels and boxes come back", () => {
  it("from COCO, by our own reader", () =>
    check(async (given) => {
      const { target } = await written(cocoFormat, given);
      await writeFile(join(folder.path, "clip_000000.jpg"), "");
      const set = await openDataset({ folder: folder.path, annotations: target });
      expect(namesIn(set)).toEqual(labelsOf(given.detections).map(labelText));
      near(boxesIn(set), given.detections, 0);
    }));

  it("from PASCAL VOC, by our own reader, in whole pixels", () =>
    check(async (given) => {
      const { target } = await written(vocFormat, given);
      await mkdir(join(target, "JPEGImages"));
      await writeFile(join(target, "JPEGImages/clip_000000.jpg"), "");
      const set = await openDataset({ folder: target });
      expect(namesIn(set)).toEqual(labelsOf(given.detections).map(inXml).map(labelText));
      near(boxesIn(set), given.detections, 1.001);
    }));

  it("from YOLO's folder, to a millionth of the frame", () =>
    check(async (given) => {
      const { target } = await written(yoloFormat, given);
      const data = parse(await readFile(join(target, "data.yaml"), "utf8"), { version: "1.1", mapAsMap: true }) as Map<
        string,
        unknown
      >;
      expect([...(data.get("names") as Map<number, string>)]).toEqual(given.labels.map((name, i) => [i, name]));
      const classes = await readFile(join(target, "classes.txt"), "utf8");
      expect(
        // oxlint-disable-next-line no-control-regex
        classes.split(/[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/),
      ).toHaveLength(given.labels.length + 1);
      const rows = (await readFile(join(target, "labels/clip_000000.txt"), "utf8")).trimEnd().split("\n");
      const numbers = rows.map((row) => row.split(" ").map(Number));
      expect(numbers.map(([number]) => given.labels[number!])).toEqual(labelsOf(given.detections));
      const boxes = numbers.map(([, x, y, w, h]) => [
        (x! - w! / 2) * SIZE.width,
        (y! - h! / 2) * SIZE.height,
        w! * SIZE.width,
        h! * SIZE.height,
      ]);
      near(boxes, given.detections, 0.001);
    }));

  it("from CVAT's XML, to a hundredth of a pixel", () =>
    check(async (given) => {
      const { text } = await written(cvatFormat, given);
      const options = { ignoreAttributes: false, htmlEntities: true, parseTagValue: false, trimValues: false };
      const parser = new XMLParser({ ...options, attributeNamePrefix: "", isArray: (name) => name === "box" });
      const { annotations: root } = parser.parse(text) as {
        annotations: { image: { box: { label: string; xtl: string; ytl: string; xbr: string; ybr: string }[] } };
      };
      expect(root.image.box.map((one) => one.label)).toEqual(labelsOf(given.detections).map(inXml));
      const boxes = root.image.box.map(({ xtl, ytl, xbr, ybr }) => {
        return [Number(xtl), Number(ytl), Number(xbr) - Number(xtl), Number(ybr) - Number(ytl)];
      });
      near(boxes, given.detections, 0.0101);
    }));

  it("from Label Studio's JSON, to a millionth of the frame", () =>
    check(async (given) => {
      const { text } = await written(labelStudioFormat, given);
      type Region = { value: { x: number; y: number; width: number; height: number; rectanglelabels: string[] } };
      const [task] = JSON.parse(text) as [{ predictions: [{ result: Region[] }] }];
      const values = task.predictions[0].result.map(({ value }) => value);
      expect(values.flatMap(({ rectanglelabels }) => rectanglelabels)).toEqual(labelsOf(given.detections));
      const [w, h] = [SIZE.width / 100, SIZE.height / 100];
      near(
        values.map((one) => [one.x * w, one.y * h, one.width * w, one.height * h]),
        given.detections,
        0.001,
      );
    }));

  it("from MOT, boxes alone, to a hundredth of a pixel", () =>
    check(async (given) => {
      const { text } = await written(motFormat, given);
      const rows = text
        .trimEnd()
        .split("\n")
        .map((row) => row.split(",").map(Number));
      expect(rows).toHaveLength(given.detections.length);
      near(
        rows.map(([, , x, y, w, h]) => [x! - 1, y! - 1, w!, h!]),
        given.detections,
        0.0051,
      );
    }));

  it("from CSV's boxes", () =>
    check(async (given) => {
      const { text } = await written(csvFormat, given);
      const rows = [
        ...text.slice(text.indexOf("\r\n") + 2).matchAll(/0,0,(?:"(?:[^"]|"")*"|[^",\r\n]*),\d+,0\.5,([^\r\n]*)\r\n/g),
      ];
      expect(rows).toHaveLength(given.detections.length);
      near(
        rows.map(([, last]) => last!.split(",").map(Number)),
        given.detections,
        0,
      );
    }));

  it.each([
    [srtFormat, 3, /-->|<[a-z/!]|[{}]|\\(?!\u2060)/i],
    [vttFormat, 4, /-->|<[a-z/!]/i],
  ] as const)("in one line of $0.title for each entry, without a command in it", (format, count, command) =>
    check(async (given) => {
      const { text } = await written(format, given);
      expect(text).not.toMatch(CONTROLS);
      const lines = text.trimEnd().split("\n");
      expect(lines).toHaveLength(count);
      expect(lines.at(-1)).not.toMatch(command);
    }),
  );

  it("in one line of ASS for each object, without a command in it", () =>
    check(async (given) => {
      const { text } = await written(assFormat, given);
      expect(text).not.toMatch(CONTROLS);
      const tags = text.split("\n").filter((line) => line.startsWith("Dialogue: 1,"));
      expect(tags).toHaveLength(given.detections.length);
      for (const tag of tags) expect(tag.replace(/^[^{]*\{[^{}]*\}/, "")).not.toMatch(/(?<!\\)[{}]|\\(?![{}\u2060])/);
    }));
});

it("leaves nothing behind", async () => {
  expect((await readdir(folder.path)).filter((name) => name.includes(".partial"))).toEqual([]);
});
