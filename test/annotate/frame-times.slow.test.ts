// Each frame of a file comes once, with the index and the time that ffprobe gives it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ffmpeg, frameTimes, hasFfprobe, LOSSLESS, makeFolder, testPicture, turnQuarter } from "../support/ffmpeg.ts";
import { read, run } from "./support/annotate.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
const file = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const B_FRAMES = "-c:v libx264 -preset veryfast -bf 3 -g 12 -pix_fmt yuv420p";

/** How to make each file: ffmpeg's arguments in order. */
const FILES: readonly (readonly [name: string, why: string, ...args: string[]])[] = [
  ["constant.mp4", "a constant frame rate", testPicture("64x48", 25, 1.2), LOSSLESS],
  ["ntsc.mp4", "30000/1001 frames a second", "-f lavfi -i testsrc=s=64x48:r=30000/1001:d=1", LOSSLESS],
  ["b-frames.mp4", "B-frames, which are stored in another order", testPicture("64x48", 25, 1.6), B_FRAMES],
  ["b-frames.mkv", "B-frames in milliseconds", testPicture("64x48", 30, 1), B_FRAMES],
  [
    "variable.mkv",
    "a variable frame rate",
    "-f lavfi -i testsrc=s=64x48:r=50:d=1.6,select='not(mod(n\\,7))+not(mod(n\\,5))' -fps_mode passthrough",
    LOSSLESS,
  ],
  [
    "odd-clock.avi",
    "a clock with an odd fraction",
    "-f lavfi -i testsrc=s=64x48:r=30:d=1 -vf settb=33333/1000000 -c:v mpeg4",
  ],
  ["late.ts", "a clock that begins late", testPicture("64x48", 25, 1), B_FRAMES],
  ["ten-bit.mkv", "10 bits a channel", testPicture("64x48", 10, 1), "-c:v libx264 -pix_fmt yuv420p10le"],
  ["odd-size.mkv", "an odd size", testPicture("65x47", 10, 1), "-c:v ffv1 -pix_fmt yuv444p"],
  ["one.mp4", "one frame", testPicture("64x48", 25, 0.04), LOSSLESS],
];

describe.skipIf(!hasFfprobe)("frames of a file with", () => {
  it.each(FILES)("%s: %s", async (name, _, ...args) => {
    await ffmpeg(...args, file(name));
    const expected = await frameTimes(file(name));
    const { frames } = await run(file(name), file(`${name}.jsonl`));
    expect(frames).toBe(expected.length);
    await expectTimes(name, expected);
  });

  it("an edit list that begins within the video", async () => {
    await ffmpeg(testPicture("64x48", 25, 2), B_FRAMES, file("whole.mp4"));
    // A copy from between two key frames keeps what it needs before, and says in the edit list that this is not shown.
    await ffmpeg("-ss 0.7 -i", file("whole.mp4"), "-c copy", file("edited.mp4"));
    const expected = await frameTimes(file("edited.mp4"));
    expect(expected.length).toBeLessThan(40);
    await run(file("edited.mp4"), file("edited.jsonl"));
    await expectTimes("edited", expected);
  });

  it("key frames only: they keep the index that they have among all", async () => {
    for (const name of ["b-frames.mp4", "edited.mp4", "b-frames.mkv", "late.ts"]) {
      const keys = (await framesOf(file(name))).flatMap(({ isKey, pts }, index) => (isKey ? [{ index, pts }] : []));
      await run(file(name), file(`${name}.keys.jsonl`), { settings: { keyframes: true } });
      const { frames } = await read(file(`${name}.keys.jsonl`));
      expect(frames.map(({ index, pts }) => ({ index, pts: pts.toFixed(6) }))).toEqual(keys);
      expect(keys.length).toBeGreaterThan(1);
    }
  });

  it("times before 0", async () => {
    const early = "-output_ts_offset -0.2 -avoid_negative_ts disabled -c:v mpeg4";
    await ffmpeg(testPicture("64x48", 25, 0.6), early, file("early.mkv"));
    await run(file("early.mkv"), file("early.jsonl"));
    const { frames } = await read(file("early.jsonl"));
    expect(frames[0]!.pts).toBeLessThan(0);
    expect(frames.map(({ pts }) => pts.toFixed(6))).toEqual(
      Array.from({ length: 15 }, (_, i) => (frames[0]!.pts + i * 0.04).toFixed(6)),
    );
  });

  it("a picture that is to be turned: boxes are in the turned one", async () => {
    await ffmpeg("-f lavfi -i color=red:s=40x64:r=10:d=0.5,pad=128:64", LOSSLESS, file("turned.mp4"));
    await turnQuarter(file("turned.mp4"));
    await run(file("turned.mp4"), file("turned.jsonl"));
    const { header, frames } = await read(file("turned.jsonl"));
    expect(header.source).toMatchObject({ width: 64, height: 128, rotation: 90, codec: "h264", frameRate: [10, 1] });
    expect(frames[0]!.detections[0]).toMatchObject({ label: "red", bbox: [0, 0, 64, 40] });
  });

  it("pixels that are not square: boxes count pixels as they are stored", async () => {
    await ffmpeg("-f lavfi -i color=red:s=40x64:r=10:d=0.5,pad=128:64,setsar=2/1", LOSSLESS, file("wide.mp4"));
    await run(file("wide.mp4"), file("wide.jsonl"));
    const { header, frames } = await read(file("wide.jsonl"));
    expect(header.source).toMatchObject({ width: 128, height: 64, pixelAspect: [2, 1] });
    expect(frames[0]!.detections[0]).toMatchObject({ label: "red", bbox: [0, 0, 40, 64] });
  });
});

/** What ffprobe says of each frame. */
async function framesOf(path: string): Promise<{ isKey: boolean; pts: string }[]> {
  const args = "-v error -select_streams V:0 -show_entries frame=key_frame,pts_time -of json".split(" ");
  const { stdout } = await promisify(execFile)("ffprobe", [...args, path]);
  const { frames } = JSON.parse(stdout) as { frames: { key_frame: number; pts_time: string }[] };
  return frames.map(({ key_frame, pts_time }) => ({ isKey: key_frame === 1, pts: Number(pts_time).toFixed(6) }));
}

async function expectTimes(name: string, expected: readonly number[]): Promise<void> {
  const { frames } = await read(file(`${name}.jsonl`));
  expect(frames.map(({ index }) => index)).toEqual(expected.map((_, i) => i));
  expect(frames.map(({ pts }) => pts.toFixed(6))).toEqual(expected.map((time) => time.toFixed(6)));
}
