// A run that is broken off leaves whole lines, and going on from them gives what an undisturbed run gives, to the byte.
import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partialPath } from "../../src/annotate/annotation-writer.ts";
import { RedFinder } from "../support/red-finder.ts";
import { ffmpeg, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { read, run, type RunOptions } from "./support/annotate.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let video: string;
const file = (name: string): string => join(folder.path, name);
const text = (path: string): Promise<string> => readFile(path, "utf8");
beforeAll(async () => {
  folder = await makeFolder();
  video = file("video.mkv");
  await ffmpeg(testPicture("64x48", 25, 2), "-c:v libx264 -bf 2 -pix_fmt yuv420p", video);
});
afterAll(() => folder.remove());

/** Stops after so many lines, as Ctrl-C does. */
async function interrupted(target: string, after: number, options: RunOptions = {}): Promise<void> {
  const stop = new AbortController();
  const tools = {
    signal: stop.signal,
    onProgress: ({ frames }: { frames: number }) => frames >= after && stop.abort(),
  };
  await expect(run(video, target, { ...options, tools })).rejects.toMatchObject({ code: "INTERRUPTED" });
}

describe("an interrupted run", () => {
  it.each([
    ["every frame", {}],
    ["every third", { every: 3 }],
    ["some a second, of a part", { fps: 8, start: 0.3, end: 1.7 }],
  ])("is gone on with to the same bytes: %s", async (name, settings) => {
    const [whole, target] = [file(`${name}-whole.jsonl`), file(`${name}.jsonl`)];
    await run(video, whole, { settings });
    await interrupted(target, 5, { settings });
    const { frames: left } = await read(partialPath(target));
    expect(left.length).toBeGreaterThanOrEqual(5);
    const { resumed } = await run(video, target, { settings, resume: true });
    expect(resumed).toBe(left.length - (left.length % 4));
    expect(await text(target)).toBe(await text(whole));
  });

  it("may have been torn in the middle of a line, or after its last one", async () => {
    const whole = file("torn-whole.jsonl");
    await run(video, whole);
    const all = await text(whole);
    const header = all.indexOf("\n") + 1;
    for (const length of [10, header, header + 3, all.length - 20, all.length]) {
      const target = file(`torn-${length}.jsonl`);
      await writeFile(partialPath(target), all);
      await truncate(partialPath(target), length);
      await run(video, target, { resume: true });
      expect(await text(target)).toBe(all);
    }
  });

  it("is not gone on with in another way, or on another video", async () => {
    const target = file("other.jsonl");
    await interrupted(target, 5);
    const again = (path: string, options: RunOptions): Promise<unknown> =>
      run(path, target, { resume: true, ...options });
    await expect(again(video, { settings: { minScore: 0.5 } })).rejects.toThrow(
      /another settings.minScore: 0.3 and not 0.5/,
    );
    await expect(again(video, { settings: { every: 2 } })).rejects.toThrow(/another settings.every: none and not 2/);
    await writeFile(file("longer.mkv"), await readFile(video));
    await appendFile(file("longer.mkv"), "x");
    await expect(again(file("longer.mkv"), {})).rejects.toMatchObject({ code: "RESUME_MISMATCH" });
    await run(video, target, { resume: true });
  });

  it("keeps what was detected before the detector failed", async () => {
    const target = file("failed.jsonl");
    const detector = new RedFinder();
    const onProgress = (): void => void (detector.failure = new Error("out of order"));
    await expect(run(video, target, { detector, tools: { onProgress } })).rejects.toThrow("out of order");
    expect((await read(partialPath(target))).frames.length).toBeGreaterThan(0);
    await run(video, target, { resume: true });
    const { frames } = await read(target);
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
