// The boxed video, decoded again: each frame shows its own box, and sound, times and counts are the source's. More of it in test/slow.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { softVideoFormat } from "../../../src/annotate/video/boxed-video.ts";
import { filterPath } from "../../../src/annotate/video/filter-path.ts";
import { ffmpeg, frameTimes, hasFfprobe, makeFolder } from "../../support/ffmpeg.ts";
import { boxed, boxLine, boxSides, expectBoxes, grey, H264, leftOf, probe, SIZE } from "../support/boxed.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: string;
beforeAll(async () => {
  folder = await makeFolder();
  // The clock of a transport stream does not start at 0.
  clip = join(folder.path, "clip.ts");
  await ffmpeg(grey(60, 0.4), "-f lavfi -i sine=duration=0.4 -c:a aac", H264, clip);
});
afterAll(() => folder.remove());

describe("the boxed video", () => {
  it.skipIf(!hasFfprobe)("shows each of 60 frames a second its own box, with sound (needs ffprobe)", async () => {
    const times = await frameTimes(clip);
    expect(times[0]).toBeGreaterThan(1);
    const target = await boxed(
      folder.path,
      clip,
      times.map((pts, index) => boxLine(index, pts)),
    );
    expectBoxes(
      await boxSides(target),
      times.map((_pts, index) => leftOf(index)),
    );
    const after = await frameTimes(target);
    expect(after.map((pts) => (pts - after[0]!).toFixed(4))).toEqual(times.map((pts) => (pts - times[0]!).toFixed(4)));
    expect(await probe(target, "stream=codec_name")).toEqual(["h264", "aac"]);
  });

  it("says why a track does not go into MP4, and what to do", async () => {
    const soft = { ...softVideoFormat, suffix: "-boxed.mp4" };
    await expect(boxed(folder.path, clip, [boxLine(0, 0)], {}, SIZE, soft)).rejects.toMatchObject({
      code: "SOFT_NEEDS_MKV",
      message: ".mp4 cannot carry the boxes as a track (ASS).",
    });
  });

  it("needs a video that can be read again", async () => {
    const piped = boxed(folder.path, clip, [boxLine(0, 0)], { video: undefined });
    await expect(piped).rejects.toMatchObject({ code: "VIDEO_NEEDED" });
  });

  it("gives up when it is told to, and leaves no track behind", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(boxed(folder.path, clip, [boxLine(0, 0)], { signal })).rejects.toThrow("enough");
    const [odd] = (await readdir(folder.path)).filter((name) => name.startsWith("it's"));
    expect((await readdir(join(folder.path, odd!))).filter((name) => name.endsWith(".ass"))).toEqual([]);
  });
});

describe("filterPath", () => {
  it("escapes for the option, and again for the graph", () => {
    expect(filterPath("/tmp/plain 1.ass")).toBe("/tmp/plain 1.ass");
    expect(filterPath("a:b.ass")).toBe("a\\\\:b.ass");
    expect(filterPath("it's")).toBe("it\\\\\\'s");
    expect(filterPath("a,b;[c]")).toBe("a\\,b\\;\\[c\\]");
  });
});
