// What is no video, no whole one, or a damaged one: each is said with a sentence, and what can be read of it is.
import { createReadStream, existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partialPath } from "../../src/annotate/annotation-writer.ts";
import { tinyDisk } from "../model/support/tiny-disk.ts";
import { makeBadFile } from "../support/bad-files.ts";
import { ffmpeg, LOSSLESS, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { read, run } from "./support/annotate.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let good: string;
const file = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await makeFolder();
  good = file("good.mp4");
  await ffmpeg(testPicture("160x120", 25, 3), "-c:v libx264 -g 10 -bf 2 -b:v 400k -pix_fmt yuv420p", good);
});
afterAll(() => folder.remove());

describe("a file that is", () => {
  it.each([
    ["notes.txt", "STREAM_NOT_VIDEO"],
    ["photo.jpg", "STREAM_NOT_VIDEO"],
    ["sound.wav", "STREAM_NOT_VIDEO"],
    ["noise.mp4", "STREAM_NOT_VIDEO"],
    ["no-index.mp4", "STREAM_NOT_VIDEO"],
    ["no-frame.avi", "STREAM_(?:EMPTY|NOT_VIDEO|FAILED)"],
    ["empty.mp4", "STREAM_EMPTY"],
  ])("no video is refused: %s", async (name, code) => {
    const path = await makeBadFile(folder.path, name, good);
    const target = file(`${name}.jsonl`);
    await expect(run(path, target)).rejects.toMatchObject({ code: expect.stringMatching(code) as string });
    expect([existsSync(target), existsSync(partialPath(target))]).toEqual([false, false]);
  });

  it("not there is refused", async () => {
    await expect(run(file("none.mp4"), file("none.jsonl"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it.each(["cut.mp4", "cut.avi"])("cut short is read as far as it goes, and that is said: %s", async (name) => {
    const path = await makeBadFile(folder.path, name, good);
    const { frames, damage } = await run(path, file(`${name}.jsonl`));
    expect(frames).toBeGreaterThan(10);
    expect(frames).toBeLessThanOrEqual(25);
    expect(damage.warning(path)?.message).toMatch(/is damaged about frame \d+ \(\d\.\d\d s\)/);
  });

  it("damaged in the midst is read to its end, and where is said", async () => {
    const bytes = await readFile(good);
    const middle = Math.floor(bytes.length / 2);
    for (let i = 0; i < 600; i++) bytes[middle + i] = (i * 73) & 255;
    await writeFile(file("damaged.mp4"), bytes);
    const { damage } = await run(file("damaged.mp4"), file("damaged.jsonl"));
    const { frames } = await read(file("damaged.jsonl"));
    expect(frames.at(-1)!.pts).toBeCloseTo(2.96, 2);
    expect(damage.places.length).toBeGreaterThan(0);
    expect(damage.places[0]!.pts).toBeGreaterThan(0.5);
    expect(damage.places[0]!.pts).toBeLessThan(2.6);
  });
});

describe("standard input", () => {
  it("is read like a file, where its form allows it", async () => {
    await ffmpeg("-i", good, "-c copy", file("good.mkv"));
    await run("-", file("stdin.jsonl"), { input: createReadStream(file("good.mkv")) });
    await run(file("good.mkv"), file("file.jsonl"));
    expect((await read(file("stdin.jsonl"))).frames).toEqual((await read(file("file.jsonl"))).frames);
  });

  it("that would have to be read from its end is explained", async () => {
    const failed = run("-", file("index.jsonl"), { input: createReadStream(good) });
    await expect(failed).rejects.toThrow(/Standard input is an MP4 with its index at the end/);
  });
});

describe("a target", () => {
  it("in a folder that is not there is refused", async () => {
    await expect(run(good, file("no/such/folder/a.jsonl"))).rejects.toMatchObject({ code: "NOT_WRITABLE" });
  });

  it("on a disk that fills up is left as a valid beginning, and gone on with when there is space", async (test) => {
    const disk = tinyDisk();
    if (!disk) return test.skip("no disk may be mounted here");
    try {
      await ffmpeg(testPicture("32x24", 100, 40), LOSSLESS, file("long.mp4"));
      await writeFile(join(disk.path, "ballast"), Buffer.alloc(700_000));
      const target = join(disk.path, "a.jsonl");
      await expect(run(file("long.mp4"), target)).rejects.toMatchObject({ code: "DISK_FULL" });
      const text = await readFile(partialPath(target), "utf8");
      expect(text.endsWith("}\n")).toBe(true);
      await writeFile(join(disk.path, "ballast"), "");
      const { frames, resumed } = await run(file("long.mp4"), target, { resume: true });
      expect([frames, resumed > 1000]).toEqual([4000, true]);
    } finally {
      disk.unmount();
    }
  });
});
