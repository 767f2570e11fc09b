// Files that are not of one piece: a clock that goes back, image sizes that change, equal times, odd rotations, unusual endings.
import { createRequire } from "node:module";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FrameLine } from "../../src/annotate/annotation.ts";
import { partialPath } from "../../src/annotate/annotation-writer.ts";
import { findFfmpeg, type Ffmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import { ffmpeg, frameTimes, hasFfprobe, LOSSLESS, makeFolder, turnBy } from "../support/ffmpeg.ts";
import { testData } from "../support/model.ts";
import { runMultibox } from "../support/multibox.ts";
import { read, run } from "./support/annotate.ts";
import { boxed, boxLine, boxSides, expectBoxes, grey, H264, leftOf } from "./support/boxed.ts";

const OLD = (createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { readonly path: string }).path;
const FFMPEGS = [
  ["the ffmpeg of this machine", undefined],
  ["the ffmpeg of 2018 that npm ships", OLD],
] as const;
const find = (path: string | undefined): Promise<Ffmpeg> =>
  findFfmpeg(path === undefined ? process.env : { ...process.env, FFMPEG_PATH: path });

let folder: Awaited<ReturnType<typeof makeFolder>>;
const file = (name: string): string => join(folder.path, name);

/** A red rectangle at the left of each image. */
const red = (size: string, seconds: number): string => {
  const [width, height] = size.split("x");
  return `-f lavfi -i color=red:s=40x${height}:r=10:d=${seconds},pad=${width}:${height}`;
};

/** One recording after the other in one file, as DVRs and `cat` join them. */
async function joinFiles(target: string, ...parts: readonly string[]): Promise<void> {
  await writeFile(target, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
}

beforeAll(async () => {
  folder = await makeFolder();
  await ffmpeg(red("128x64", 2), "-c:v libx264 -bf 2 -pix_fmt yuv420p", file("a.ts"));
  await ffmpeg(red("64x128", 1), LOSSLESS, "-output_ts_offset 4", file("tall.ts"));
  await ffmpeg(red("256x128", 1), LOSSLESS, "-output_ts_offset 6", file("large.ts"));
  await joinFiles(file("back.ts"), file("a.ts"), file("a.ts"));
  await joinFiles(file("sizes.ts"), file("a.ts"), file("tall.ts"), file("large.ts"), file("a.ts"));
});
afterAll(() => folder.remove());

describe.each(FFMPEGS)("with %s", (_, path) => {
  it("a clock that goes back continues: every frame has its time in its segment, and the jump is named", async () => {
    const { changes } = await run(file("back.ts"), file("back.jsonl"), { tools: { ffmpeg: await find(path) } });
    const { frames } = await read(file("back.jsonl"));
    const first = frames[0]!.pts;
    expect(frames.map(({ index, pts }) => [index, (pts - first).toFixed(4)])).toEqual(
      Array.from({ length: 40 }, (__, index) => [index, (index / 10).toFixed(4)]),
    );
    expect(frames.map(({ sourcePts }) => sourcePts?.toFixed(4))).toEqual([
      ...Array.from({ length: 20 }, () => undefined),
      ...frames.slice(0, 20).map(({ pts }) => pts.toFixed(4)),
    ]);
    expect(changes.warnings("back.ts").map(({ code, message }) => [code, message])).toEqual([
      ["VIDEO_CLOCK_JUMPS", expect.stringMatching(/^back\.ts: the clock jumps at frame 20 \(3\.\d\d s, from /)],
    ]);
  });

  it("--fps takes frames of both halves", async () => {
    await run(file("back.ts"), file("fps.jsonl"), { settings: { fps: 5 }, tools: { ffmpeg: await find(path) } });
    const { frames } = await read(file("fps.jsonl"));
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (__, i) => 2 * i));
  });

  it("frames of other sizes keep them, and boxes lie in them", async () => {
    const { changes } = await run(file("sizes.ts"), file("sizes.jsonl"), { tools: { ffmpeg: await find(path) } });
    const { header, frames } = await read(file("sizes.jsonl"));
    expect(header.source).toMatchObject({ width: 128, height: 64, codec: "h264" });
    const sizes = frames.map(({ width, height }) => (width === undefined ? "128x64" : `${width}x${height}`));
    const times = (count: number, size: string): string[] => Array.from({ length: count }, () => size);
    expect(sizes).toEqual([
      ...times(20, "128x64"),
      ...times(10, "64x128"),
      ...times(10, "256x128"),
      ...times(20, "128x64"),
    ]);
    for (const [at, height] of [
      [0, 64],
      [25, 128],
      [35, 128],
      [59, 64],
    ] as const) {
      const [box] = frames[at]!.detections;
      expect(box!.label, `frame ${at}`).toBe("red");
      for (const [i, side] of [0, 0, 40, height].entries())
        expect(Math.abs(box!.bbox[i]! - side), `frame ${at}`).toBeLessThanOrEqual(2);
    }
    expect(changes.warnings("x").map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^x: the image size changes at frame 20 .*to 64x128\), frame 30 .*, frame 40 /),
    );
  });

  it("a rotation by 45 degrees leaves codec, rate and duration known", async () => {
    await ffmpeg(red("128x64", 1), LOSSLESS, file("odd.mp4"));
    await turnBy(file("odd.mp4"), 45);
    await run(file("odd.mp4"), file("odd.jsonl"), { tools: { ffmpeg: await find(path) } });
    const { header } = await read(file("odd.jsonl"));
    expect(header.source).toMatchObject({ codec: "h264", rotation: 45, frameRate: [10, 1], duration: 1 });
  });

  it("boxes are drawn on every frame behind the jump", async () => {
    await ffmpeg(grey(10, 1), "-f lavfi -i sine=duration=1 -c:a aac", H264, file("grey.ts"));
    await joinFiles(file("grey-back.ts"), file("grey.ts"), file("grey.ts"));
    const lines = Array.from({ length: 20 }, (__, index): FrameLine => {
      const pts = 1.4 + index / 10;
      return { ...boxLine(index, pts), ...(index >= 10 && { sourcePts: pts - 1 }) };
    });
    const target = await boxed(folder.path, file("grey-back.ts"), lines, { ffmpeg: await find(path) });
    const sides = await boxSides(target);
    expect(sides).toHaveLength(20);
    expectBoxes(
      sides,
      lines.map(({ index }) => leftOf(index)),
    );
  });

  it("boxes are drawn where the object is after the size has changed", async () => {
    await ffmpeg(grey(10, 1), H264, file("wide.ts"));
    await ffmpeg(grey(10, 1, "240x320"), H264, "-output_ts_offset 1", file("upright.ts"));
    await joinFiles(file("grey-sizes.ts"), file("wide.ts"), file("upright.ts"));
    // On 240x320, which is fitted into 320x240: 180x240 from 70 on.
    const tall = (index: number): FrameLine => ({
      ...boxLine(index, index / 10),
      width: 240,
      height: 320,
      detections: [{ bbox: [40, 120, 120, 120], score: 0.9, label: "person", classId: 1 }],
    });
    const lines = Array.from({ length: 20 }, (__, index) => (index < 10 ? boxLine(index, index / 10) : tall(index)));
    const target = await boxed(folder.path, file("grey-sizes.ts"), lines, { ffmpeg: await find(path) });
    const sides = await boxSides(target);
    expectBoxes(
      sides.slice(0, 10),
      lines.slice(0, 10).map(({ index }) => leftOf(index)),
    );
    for (const side of sides.slice(10)) {
      expect(Math.abs(side![0]! - (70 + 30))).toBeLessThanOrEqual(3);
      expect(Math.abs(side![1]! - (70 + 120))).toBeLessThanOrEqual(3);
    }
  });
});

it("key frames of a file whose clock goes back cannot be numbered, and that is reported", async () => {
  const keyframes = run(file("back.ts"), file("keys.jsonl"), { settings: { keyframes: true } });
  await expect(keyframes).rejects.toMatchObject({ code: "KEYFRAMES_UNKNOWN" });
});

it("image sizes that change with every frame do not take more memory than a pool", async () => {
  await ffmpeg(red("320x240", 0.1), LOSSLESS, file("one.ts"));
  await ffmpeg(red("240x320", 0.1), LOSSLESS, file("other.ts"));
  await joinFiles(file("mixed.ts"), ...Array.from({ length: 40 }, (_, i) => file(i % 2 === 0 ? "one.ts" : "other.ts")));
  const { frames } = await run(file("mixed.ts"), file("mixed.jsonl"), { settings: { batch: 8 } });
  expect(frames).toBe(40);
});

it("an interrupted run of such a file resumes to the same bytes", async () => {
  const whole = await run(file("sizes.ts"), file("whole.jsonl"));
  expect(whole.frames).toBe(60);
  const lines = (await readFile(file("whole.jsonl"), "utf8")).split("\n");
  for (const kept of [23, 47]) {
    const target = file(`resumed-${kept}.jsonl`);
    await writeFile(partialPath(target), lines.slice(0, kept + 1).join("\n"));
    const { resumed } = await run(file("sizes.ts"), target, { resume: true });
    expect(resumed).toBeGreaterThan(0);
    expect(await readFile(target, "utf8")).toBe(lines.join("\n"));
  }
});

it.skipIf(!hasFfprobe)("equal times stay equal, as ffprobe lists them", async () => {
  await ffmpeg("-f lavfi -i testsrc=s=64x48:r=10:d=1 -c:v mjpeg", file("plain.mkv"));
  const bytes = await readFile(file("plain.mkv"));
  // Each SimpleBlock has its own time; that of the fourth is made that of the third.
  const blocks = simpleBlocks(bytes);
  bytes.writeInt16BE(bytes.readInt16BE(blocks[2]), blocks[3]);
  await writeFile(file("equal.mkv"), bytes);
  const expected = await frameTimes(file("equal.mkv"));
  expect(expected[3]).toBe(expected[2]);
  await run(file("equal.mkv"), file("equal.jsonl"));
  const { frames } = await read(file("equal.jsonl"));
  expect(frames.map(({ pts }) => pts.toFixed(6))).toEqual(expected.map((time) => time.toFixed(6)));
});

/** Where the times of a small Matroska file's blocks are: behind the id A3, a size and the track number 81. */
function simpleBlocks(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0xa3); at >= 0; at = bytes.indexOf(0xa3, at + 1)) {
    const length = Math.clz32(bytes[at + 1]!) - 23;
    if (length >= 1 && length <= 4 && bytes[at + 1 + length] === 0x81 && bytes[at + 4 + length] === 0x80)
      found.push(at + 2 + length);
  }
  return found;
}

it("a folder: unusual endings are taken, and what is left out is named", async () => {
  const videos = file("recordings");
  await mkdir(join(videos, "disc"), { recursive: true });
  await copyFile(file("back.ts"), join(videos, "door.dav"));
  await copyFile(file("a.ts"), join(videos, "disc", "VTS_01_1.VOB"));
  await writeFile(join(videos, "notes.txt"), "door: front\n");
  const out = file("annotated");
  const { code, stdout } = await runMultibox(["annotate", videos, "--json", "--fps", "5", "--out-dir", out]);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; code?: string; message?: string });
  expect(code).toBe(0);
  expect((await readdir(out, { recursive: true })).filter((name) => name.endsWith(".jsonl")).sort()).toEqual([
    "disc/VTS_01_1.jsonl",
    "door.jsonl",
  ]);
  const warnings = events.filter(({ event }) => event === "warning");
  expect(warnings.find((one) => one.code === "FILES_LEFT_OUT")?.message).toContain("1 file has no ending of a video");
  expect(warnings.find((one) => one.code === "FILES_LEFT_OUT")?.message).toContain("notes.txt");
  expect(warnings.find((one) => one.code === "VIDEO_CLOCK_JUMPS")?.message).toContain("frame 20");
});

const RES_UP = testData("faults/inputs/size-change/res_up.ts");
it.skipIf(!RES_UP)("a dog is found in all images of the larger size, in every format (test data)", async () => {
  const out = ["jsonl", "coco", "voc", "yolo"];
  const into = file("up");
  const args = ["annotate", RES_UP!, "--out-dir", into, ...out.flatMap((name) => ["--out", name])];
  expect((await runMultibox(args)).code).toBe(0);
  const { frames } = await read(join(into, "res_up.jsonl"));
  const large = frames.slice(20);
  expect(large.map(({ width, height }) => [width, height])).toEqual(Array.from({ length: 20 }, () => [640, 480]));
  expect(large.map(({ detections }) => detections.some(({ label }) => label === "dog"))).not.toContain(false);
  const coco = JSON.parse(await readFile(join(into, "res_up.coco.json"), "utf8")) as {
    images: { width: number; height: number }[];
  };
  expect(coco.images.slice(18, 22).map(({ width }) => width)).toEqual([320, 320, 640, 640]);
  const voc = await readFile(join(into, "res_up-voc/Annotations/res_up_000020.xml"), "utf8");
  expect(voc).toContain("<size><width>640</width><height>480</height>");
  const [box] = large[0]!.detections;
  const yolo = await readFile(join(into, "res_up-yolo/labels/res_up_000020.txt"), "utf8");
  expect(Number(yolo.split(" ")[3])).toBeCloseTo(box!.bbox[2] / 640, 4);
});
