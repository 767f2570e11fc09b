// Annotations as JSON lines: written under a temporary name, read back, refused where they are something else.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAnnotations } from "../../src/annotate/annotation-file.ts";
import { openAnnotationWriter, partialPath } from "../../src/annotate/annotation-writer.ts";
import { type AnnotationLine, sizeOf } from "../../src/annotate/annotation.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { tinyDisk } from "../model/support/tiny-disk.ts";
import { exampleHeader, exampleLine } from "./support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

async function linesOf(path: string): Promise<AnnotationLine[]> {
  const lines: AnnotationLine[] = [];
  for await (const line of (await readAnnotations(path)).lines()) lines.push(line);
  return lines;
}

describe("a file of annotations", () => {
  it("is read as it was written, as often as is wanted", async () => {
    const target = join(folder.path, "a.jsonl");
    const writer = await openAnnotationWriter(target, exampleHeader());
    for (const index of [0, 1, 2]) await writer.write(exampleLine(index));
    await expect(readFile(target)).rejects.toThrow("ENOENT");
    await writer.finish();
    const { header } = await readAnnotations(target);
    expect(header).toEqual(exampleHeader());
    for (let time = 0; time < 2; time++)
      expect(await linesOf(target)).toEqual([0, 1, 2].map((index) => exampleLine(index)));
    expect(sizeOf(header, exampleLine(0))).toEqual({ width: 640, height: 480 });
    await expect(readFile(partialPath(target))).rejects.toThrow("ENOENT");
  });

  it("that was paused is gone on with behind the bytes that are kept", async () => {
    const target = join(folder.path, "b.jsonl");
    const first = await openAnnotationWriter(target, exampleHeader());
    for (const index of [0, 1]) await first.write(exampleLine(index));
    await first.pause();
    const keep = (await readFile(partialPath(target))).length;
    await writeFile(partialPath(target), '{"index":2,"pts"', { flag: "a" });
    const second = await openAnnotationWriter(target, exampleHeader(), { keep });
    await second.write(exampleLine(2));
    await second.finish();
    expect(await linesOf(target)).toEqual([0, 1, 2].map((index) => exampleLine(index)));
  });

  it("is on disk in whole lines soon after they came", async () => {
    const target = join(folder.path, "c.jsonl");
    let time = 0;
    const writer = await openAnnotationWriter(target, exampleHeader(), { now: () => time });
    await writer.write(exampleLine(0));
    time = 600;
    await writer.write(exampleLine(1));
    const text = await readFile(partialPath(target), "utf8");
    expect(text.split("\n")).toHaveLength(4);
    await writer.abort();
    await expect(readFile(partialPath(target))).rejects.toThrow("ENOENT");
  });

  it("that is something else is refused with the number of its line", async () => {
    const bad = async (name: string, text: string): Promise<unknown> => {
      const path = join(folder.path, name);
      await writeFile(path, text);
      return linesOf(path).catch(String);
    };
    const header = JSON.stringify(exampleHeader());
    expect(await bad("empty.jsonl", "")).toMatch(/ANNOTATIONS_INVALID.*line 1: it is empty/);
    expect(await bad("text.jsonl", "hello\n")).toMatch(/ANNOTATIONS_INVALID.*line 1: it is no JSON/);
    expect(await bad("torn.jsonl", `${header}\n{"index":0,"pts":`)).toMatch(/ANNOTATIONS_INVALID.*line 2/);
    expect(await bad("other.jsonl", `${header}\n{"index":-1,"pts":0,"detections":[]}\n`)).toMatch(/line 2/);
    await expect(readAnnotations(join(folder.path, "none"))).rejects.toThrow(/There is no file/);
    await expect(readAnnotations(folder.path)).rejects.toThrow(/EISDIR/);
  });

  it("on a disk that fills up is left with whole lines", async (test) => {
    const disk = tinyDisk();
    if (!disk) return test.skip("no disk may be mounted here");
    try {
      const target = join(disk.path, "d.jsonl");
      const writer = await openAnnotationWriter(target, exampleHeader());
      const fill = async (): Promise<void> => {
        for (let index = 0; index < 100_000; index++) await writer.write(exampleLine(index));
      };
      await expect(fill()).rejects.toMatchObject({ code: "DISK_FULL" });
      await writer.pause();
      const text = await readFile(partialPath(target), "utf8");
      expect(text.length).toBeGreaterThan(500_000);
      expect(text.endsWith("}\n")).toBe(true);
    } finally {
      disk.unmount();
    }
  });
});
