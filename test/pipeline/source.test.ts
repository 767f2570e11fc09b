// What comes out of files: times, sizes, pixels and colours, with the real ffmpeg.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ColourTags } from "../../src/model/detection.ts";
import {
  ffmpeg,
  frameTimes,
  hasFfprobe,
  LOSSLESS,
  lumaPicture,
  makeFolder,
  testPicture,
  turnQuarter,
} from "../support/ffmpeg.ts";
import { collect, fileConfig } from "../support/source.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
/** Frames at 0, 80, 160, 280 ms and so on, coded with B-frames. */
let vfr: string;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  vfr = at("vfr.mp4");
  const irregular = "select='not(eq(mod(n,7),3)+eq(mod(n,5),1))'";
  await ffmpeg(testPicture("64x48", 25, 2), `-vf ${irregular} -vsync vfr -c:v libx264 -bf 2 -g 12`, vfr);
});
afterAll(() => folder.remove());

describe.skipIf(!hasFfprobe)("times equal those that ffprobe lists, to 1 ms (needs ffprobe)", () => {
  test.each([
    ["of a variable frame rate with B-frames", "same.mp4", "-c copy"],
    ["with the milliseconds of Matroska", "ms.mkv", "-c copy"],
    ["of a file that begins at 1.56 s", "late.ts", "-c copy"],
    ["of a file that begins at 3.3 s", "later.mp4", "-c copy -output_ts_offset 3.3"],
  ])("%s", async (_, name, options) => {
    await ffmpeg("-i", vfr, options, at(name));
    expect(await worstTime(at(name))).toBeLessThan(0.001);
  });

  test("of a file whose edit list leaves out its beginning", async () => {
    await ffmpeg("-ss 0.5 -i", vfr, "-c copy", at("edit.mp4"));
    expect(await worstTime(at("edit.mp4"))).toBeLessThan(0.001);
  });

  test("of 29.97 frames a second", async () => {
    await ffmpeg(testPicture("64x48", 30000 / 1001, 1), "-c:v libx264", at("ntsc.mp4"));
    expect(await worstTime(at("ntsc.mp4"))).toBeLessThan(0.001);
  });

  /** The largest difference in seconds; infinite when frames are missing or too many. */
  async function worstTime(path: string): Promise<number> {
    const { frames } = await collect(fileConfig(path));
    const expected = await frameTimes(path);
    if (expected.length < 20 || frames.length !== expected.length) return Number.POSITIVE_INFINITY;
    return Math.max(...frames.map(({ pts }, i) => Math.abs(pts - expected[i]!)));
  }
});

test("frames say whose they are, when they came, and count from 0", async () => {
  let clock = 1000;
  const { frames, decoded, drops } = await collect(fileConfig(vfr), { now: () => clock++ });
  expect(frames.map(({ stream, index, time, live }) => ({ stream, index, time, live }))).toEqual(
    frames.map((_, index) => ({ stream: "test", index, time: 1000 + index, live: false })),
  );
  expect([decoded, drops]).toEqual([frames.length, []]);
});

describe("a stream with a highest rate", () => {
  const times = async (path: string, maxFps: number): Promise<number[]> => {
    const { frames, decoded } = await collect({ ...fileConfig(path), maxFps });
    expect(decoded).toBe(frames.length);
    return frames.map(({ pts }) => Math.round(pts * 1000));
  };

  test("has the first picture of each stretch of time, and none of the others comes through the pipe", async () => {
    await ffmpeg(testPicture("64x48", 25, 1), "-c:v libx264", at("even.mp4"));
    expect(await times(at("even.mp4"), 5)).toEqual([0, 200, 400, 600, 800]);
    expect(await times(at("even.mp4"), 10)).toEqual([0, 120, 200, 320, 400, 520, 600, 720, 800, 920]);
  });

  test("loses no stretch where times tremble", async () => {
    // 25 a second, each up to 15 ms early or late: counted from the last one taken, one that is early would cost its stretch.
    const tremble = `setpts=PTS+0.015*sin(N*1.7)/TB,settb=1/1000`;
    await ffmpeg(testPicture("64x48", 25, 4), `-vf ${tremble} -vsync passthrough -c:v ffv1`, at("trembling.mkv"));
    expect(await times(at("trembling.mkv"), 5)).toHaveLength(20);
  });

  test("that is slower than the source's has every picture", async () => {
    expect(await times(vfr, 100)).toHaveLength((await collect(fileConfig(vfr))).frames.length);
  });
});

describe("size and pixels", () => {
  test("a file that is to be shown turned comes out turned", async () => {
    const path = at("turned.mp4");
    await ffmpeg(lumaPicture("64x32", 5, 1), LOSSLESS, path);
    await turnQuarter(path);
    const { frames } = await collect(fileConfig(path));
    const [frame] = frames;
    expect([frame!.picture.width, frame!.picture.height]).toEqual([32, 64]);
    // A quarter clockwise: what was left is up.
    expect([frame!.luma(0, 0), frame!.luma(31, 0), frame!.luma(0, 63), frame!.luma(31, 63)]).toEqual([
      16, 16, 235, 235,
    ]);
  });

  test("pixels that are not square stay as they are stored", async () => {
    await ffmpeg(lumaPicture("64x48", 5, 1), "-aspect 16:9", LOSSLESS, at("wide.mp4"));
    const { frames } = await collect(fileConfig(at("wide.mp4")));
    expect([frames[0]!.picture.width, frames[0]!.picture.height]).toEqual([64, 48]);
    expect([frames[0]!.luma(31, 24), frames[0]!.luma(32, 24)]).toEqual([16, 235]);
  });

  test.each(["321x241", "1x1", "7x300"])("odd sizes come out whole: %s", async (size) => {
    const name = at(`${size}.avi`);
    const [width, height] = size.split("x").map(Number) as [number, number];
    await ffmpeg(lumaPicture(size, 5, 0.6, "16+mod(X+Y,200)"), "-c:v ffv1", name);
    const { frames } = await collect(fileConfig(name));
    expect(frames).toHaveLength(3);
    const { picture, luma } = frames[2]!;
    expect([picture.width, picture.height]).toEqual([width, height]);
    expect(picture.data).toHaveLength(width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2));
    expect(luma(width - 1, height - 1)).toBe(16 + ((width + height - 2) % 200));
    expect(picture.data.at(-1)).toBe(128);
  });

  test.each([
    [64, 96, 64, 43],
    [95, 96, 95, 64],
    [96, 96, 96, 65],
    [1000, 96, 96, 65],
  ])(
    "a width over %i is scaled down, keeping the aspect, and no other: %i becomes %ix%i",
    async (max, width, scaledWidth, scaledHeight) => {
      await ffmpeg(lumaPicture(`${width}x65`, 5, 0.4), "-c:v ffv1", at("scaled.avi"));
      const { frames } = await collect(fileConfig(at("scaled.avi")), { maxDecodeWidth: max });
      const { picture, luma } = frames[0]!;
      expect([picture.width, picture.height]).toEqual([scaledWidth, scaledHeight]);
      expect([luma(2, 5), luma(scaledWidth - 3, 5)]).toEqual([16, 235]);
    },
  );

  test("a file whose image size changes gives each frame in its own size, with a warning", async () => {
    const encode = "-c:v mpeg2video -q:v 2 -f mpegts";
    await ffmpeg(lumaPicture("64x48", 25, 0.4), encode, at("a.ts"));
    await ffmpeg(lumaPicture("128x96", 25, 0.4), encode, at("b.ts"));
    await ffmpeg(`-i concat:${at("a.ts")}|${at("b.ts")} -c copy`, at("sizes.ts"));
    const { frames, error, warnings } = await collect(fileConfig(at("sizes.ts")));
    expect(error).toBeUndefined();
    expect(frames.length).toBeGreaterThan(15);
    expect(new Set(frames.map(({ picture }) => `${picture.width}x${picture.height}`))).toEqual(
      new Set(["64x48", "128x96"]),
    );
    expect(warnings.map(({ code }) => code)).toContain("VIDEO_SIZE_CHANGES");
    const last = frames.at(-1)!;
    expect(last.luma(16, 48)).toBeLessThan(30);
    expect(last.luma(112, 48)).toBeGreaterThan(220);
  });
});

describe("colours", () => {
  const BT601: ColourTags = { matrix: "bt601", fullRange: false };
  /** A grey of luma 126 in limited range, which is 128 in full range. */
  const grey = "-f lavfi -i color=0x808080:s=64x48:r=5:d=0.4";

  test.each<[string, string, string, ColourTags, number]>([
    ["nothing said", "-c:v libx264 -qp 0 -pix_fmt yuv420p", "none.mp4", BT601, 126],
    ["full range by format (yuvj420p)", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p", "full.avi", BT601, 126],
    ["10 bits", "-c:v ffv1 -pix_fmt yuv420p10le", "ten.mkv", BT601, 126],
    ["4:4:4", "-c:v ffv1 -pix_fmt yuv444p", "444.mkv", BT601, 126],
    ["RGB", "-c:v png -pix_fmt rgb24", "rgb.mov", BT601, 126],
    ["BT.709", "-c:v libx264 -qp 0 -pix_fmt yuv420p -colorspace bt709", "709.mp4", { ...BT601, matrix: "bt709" }, 126],
    [
      "BT.2020 in 10 bits",
      "-c:v ffv1 -pix_fmt yuv420p10le -colorspace bt2020nc -color_trc smpte2084",
      "2020.mkv",
      { ...BT601, matrix: "bt2020" },
      126,
    ],
    [
      "full range by tag",
      "-vf scale=out_range=pc -c:v libvpx-vp9 -lossless 1 -pix_fmt yuv420p -color_range pc",
      "pc.webm",
      { ...BT601, fullRange: true },
      128,
    ],
  ])("%s", async (_, encode, name, colour, luma) => {
    await ffmpeg(grey, encode, at(name));
    const { frames } = await collect(fileConfig(at(name)));
    expect(frames).toHaveLength(2);
    const [frame] = frames;
    expect(frame!.picture.colour).toEqual(colour);
    expect(Math.abs(frame!.luma(30, 20) - luma)).toBeLessThanOrEqual(1);
    expect(Math.abs(frame!.picture.data.at(-1)! - 128)).toBeLessThanOrEqual(1);
  });
});

test("paths may begin with a dash and hold anything that a file name can", async () => {
  const before = process.cwd();
  const names = ["-i.mp4", "a b 'c' \"d\".mp4", "50%d #1?x=[y],z;|.mp4", "größe@host:1.mp4"];
  try {
    process.chdir(folder.path);
    for (const name of names) {
      await copyFile(vfr, at(name));
      const { frames, error } = await collect(fileConfig(name), {}, 1);
      expect(error?.toString()).toBeUndefined();
      expect(frames).toHaveLength(1);
    }
  } finally {
    process.chdir(before);
  }
});
