// Labels that mean something else to a format are read back by Python's readers as they are: PyYAML, pycocotools, ElementTree, json.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AnnotationHeader, AnnotationLine } from "../../src/annotate/annotation.ts";
import { cocoFormat } from "../../src/annotate/writers/coco.ts";
import { cvatFormat } from "../../src/annotate/writers/cvat.ts";
import { labelStudioFormat } from "../../src/annotate/writers/label-studio.ts";
import { vocFormat } from "../../src/annotate/writers/voc.ts";
import { yoloFormat } from "../../src/annotate/writers/yolo.ts";
import { convert } from "../annotate/support/convert.ts";
import { exampleHeader } from "../annotate/support/example.ts";
import { inXml, NASTY_LABELS } from "../annotate/support/nasty-labels.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { pythonHas, runPython } from "../support/python.ts";

const script = join(import.meta.dirname, "annotation_formats.py");
const golden = join(import.meta.dirname, "../fixtures/annotation-formats.golden.json");
const TEXTS = ["out-yolo/data.yaml", "out-yolo/classes.txt", "out.cvat.xml", "out-voc/Annotations/clip_000000.xml"];

/** What Python read, of which texts. */
interface Golden {
  readonly read: unknown;
  readonly texts: Readonly<Record<string, string>>;
}

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
  const example = exampleHeader();
  const labels = NASTY_LABELS.map((label, i) => ({ classId: i + 1, label }));
  const header: AnnotationHeader = { ...example, model: { ...example.model, labels } };
  const detections = labels.map(({ label, classId }, i) => {
    return { label, classId, score: 0.5, bbox: [i, 2 * i, 10, 20] as const };
  });
  const lines: AnnotationLine[] = [{ index: 0, pts: 0, detections }];
  for (const format of [yoloFormat, cocoFormat, vocFormat, cvatFormat, labelStudioFormat])
    await convert(format, folder.path, header, lines);
});
afterAll(() => folder.remove());

const textsNow = async (): Promise<Golden["texts"]> =>
  Object.fromEntries(
    await Promise.all(TEXTS.map(async (name) => [name, await readFile(join(folder.path, name), "utf8")])),
  );

const XML_LABELS = NASTY_LABELS.map(inXml);
const EXPECTED = {
  yolo: { keys: NASTY_LABELS.map(() => "int"), names: NASTY_LABELS },
  classes: expect.objectContaining({ length: NASTY_LABELS.length }) as unknown,
  coco: NASTY_LABELS.map((label, i) => [label, [i, 2 * i, 10, 20]]),
  voc: XML_LABELS.map((label, i) => [label, [i + 1, 2 * i + 1, i + 10, 2 * i + 20]]),
  cvat: XML_LABELS,
  cvatLabels: XML_LABELS,
  labelStudio: NASTY_LABELS,
};

describe("labels that mean something else to a format", () => {
  it.skipIf(!pythonHas("yaml", "pycocotools"))(
    "are read back by Python's own readers (needs Python with pyyaml and pycocotools in MULTIBOX_PYTHON)",
    async () => {
      const read = JSON.parse(await runPython(script, [folder.path])) as unknown;
      expect(read).toEqual(EXPECTED);
      if (!existsSync(golden))
        await writeFile(golden, `${JSON.stringify({ read, texts: await textsNow() }, undefined, 2)}\n`);
    },
  );

  it("are in the very files that Python's readers have read back", async () => {
    const { read, texts } = JSON.parse(await readFile(golden, "utf8")) as Golden;
    expect(read).toEqual(EXPECTED);
    expect(await textsNow()).toEqual(texts);
  });

  it.each(["1.1", "1.2"] as const)("are read back from data.yaml under integer keys by YAML %s", async (version) => {
    const text = await readFile(join(folder.path, "out-yolo/data.yaml"), "utf8");
    const data = parse(text, { version, mapAsMap: true }) as Map<string, unknown>;
    expect([...(data.get("names") as Map<unknown, unknown>)]).toEqual(NASTY_LABELS.map((label, i) => [i, label]));
  });

  it("keep a line each in classes.txt, in the order of their numbers", async () => {
    const text = await readFile(join(folder.path, "out-yolo/classes.txt"), "utf8");
    const lines = text.split("\n").slice(0, -1);
    expect(lines).toHaveLength(NASTY_LABELS.length);
    expect(lines.every((line) => line.trim() !== "")).toBe(true);
    expect(lines[NASTY_LABELS.indexOf("line\r\nend")]).toBe("line end");
  });
});
