// Boxed videos of all kinds: frame rates, turned and odd pictures, what else is in a file, tracks, encoders.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { softVideoFormat } from "../../src/annotate/video/boxed-video.ts";
import { ffmpeg, frameTimes, hasFfprobe, makeFolder, turnQuarter } from "../support/ffmpeg.ts";
import {
  boxed,
  boxLine,
  boxLines,
  boxSides,
  expectBoxes,
  grey,
  H264,
  leftOf,
  probe,
  SIZE,
} from "../annotate/support/boxed.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

describe.skipIf(!hasFfprobe)("the boxed video (needs ffprobe)", () => {
  it.each([
    ["25 frames/s", "clip.mp4", 25, "null"],
    ["29.97 frames/s", "clip.mkv", 30000 / 1001, "null"],
    ["30 frames/s with B-frames", "clip.mp4", 30, "null"],
    ["240 frames/s", "clip.mp4", 240, "null"],
    ["variable frame rate", "clip.mp4", 60, "select=lt(mod(n\\,7)\\,3)"],
  ])("shows each frame its own box at %s, at its own time", async (what, name, rate, filter) => {
    const clip = join(folder.path, name);
    const encoder = what.includes("B-frames") ? "-c:v libx264 -preset medium -bf 3 -pix_fmt yuv420p" : H264;
    await ffmpeg(grey(rate, 0.5), `-vf ${filter} -vsync passthrough -enc_time_base -1`, encoder, clip);
    const times = await frameTimes(clip);
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
    expect(after).toHaveLength(times.length);
    for (const [i, pts] of after.entries()) expect(pts - after[0]!).toBeCloseTo(times[i]! - times[0]!, 3);
    const [before, now] = await Promise.all([clip, target].map((path) => probe(path, "format=duration")));
    expect(Math.abs(Number(before![0]) - Number(now![0]))).toBeLessThanOrEqual(0.05);
  });

  it("keeps sound bit for bit, chapters, titles and subtitles, and holds boxes over frames that were left out", async () => {
    const clip = join(folder.path, "rich.mkv");
    const [subtitles, chapters] = [join(folder.path, "s.srt"), join(folder.path, "c.txt")];
    await writeFile(subtitles, "1\n00:00:00,100 --> 00:00:00,400\nhello\n");
    await writeFile(
      chapters,
      ";FFMETADATA1\ntitle=Street\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=first\n",
    );
    const inputs = [grey(10, 2), "-f lavfi -i sine=duration=2 -i", subtitles, "-i", chapters];
    const maps = "-map 0:v -map 1:a -map 2:s -map_metadata 3 -map_chapters 3";
    await ffmpeg(...inputs, maps, H264, "-c:a aac", clip);
    // Frames 0, 2 and 12 were looked at; there is nothing on frame 2.
    const lines = [boxLine(0, 0), { index: 2, pts: 0.2, detections: [] }, boxLine(12, 1.2)];
    const target = await boxed(folder.path, clip, lines);
    // The last one holds as long as a frame does.
    const held = Array.from({ length: 20 }, (_, i) => (i < 2 ? leftOf(0) : i === 12 ? leftOf(12) : undefined));
    expectBoxes(await boxSides(target), held);
    const sound = async (path: string): Promise<string> =>
      (await ffmpeg("-i", path, "-map 0:a -c copy -f md5 -")).toString();
    expect(await sound(target)).toBe(await sound(clip));
    expect((await probe(target, "stream=codec_name")).slice(0, 3)).toEqual(["h264", "aac", "mov_text"]);
    expect(await probe(target, "chapter=start_time,end_time:chapter_tags=title")).toEqual(["0.000000,0.200000,first"]);
    expect(await probe(target, "format_tags=title")).toEqual(["Street"]);
  });

  it("is upright where the source is turned, and even where the source has odd sides", async () => {
    const clip = join(folder.path, "turned.mp4");
    await ffmpeg(grey(25, 0.2, "240x320"), H264, clip);
    await turnQuarter(clip);
    const lines = boxLines(5, 25);
    const lefts = lines.map(({ index }) => leftOf(index));
    expectBoxes(await boxSides(await boxed(folder.path, clip, lines)), lefts);
    const odd = join(folder.path, "odd.mkv");
    await ffmpeg(grey(25, 0.2), "-vf scale=319:239 -c:v ffv1 -pix_fmt yuv420p", odd);
    const target = await boxed(folder.path, odd, lines, {}, { width: 319, height: 239 });
    expect(await probe(target, "stream=width,height,pix_fmt")).toEqual(["320,240,yuv420p"]);
    expectBoxes(await boxSides(target), lefts);
  });

  it("keeps the shape of pixels, and plays everywhere what has 10 bits", async () => {
    const clip = join(folder.path, "wide.mkv");
    await ffmpeg(grey(25, 0.2), "-vf setsar=16/15 -c:v ffv1 -pix_fmt yuv420p10le", clip);
    const lines = boxLines(5, 25);
    const target = await boxed(folder.path, clip, lines);
    expect(await probe(target, "stream=width,sample_aspect_ratio,pix_fmt")).toEqual(["320,16:15,yuv420p"]);
    expectBoxes(
      await boxSides(target),
      lines.map(({ index }) => leftOf(index)),
    );
  });

  it("has the boxes as a track on wish, and leaves the picture as it is", async () => {
    const clip = join(folder.path, "soft.ts");
    await ffmpeg(grey(50, 0.2), H264, clip);
    const lines = (await frameTimes(clip)).map((pts, index) => boxLine(index, pts));
    const target = await boxed(folder.path, clip, lines, {}, SIZE, softVideoFormat);
    expect(await probe(target, "stream=codec_name,codec_type")).toEqual(["h264,video", "ass,subtitle"]);
    const pictures = async (path: string): Promise<string> =>
      (await ffmpeg("-i", path, "-map 0:v -vsync passthrough -f rawvideo -")).toString("base64");
    expect(await pictures(target)).toBe(await pictures(clip));
    // What a player does: it draws the track over the picture.
    const drawn = join(folder.path, "drawn.mp4");
    await ffmpeg("-i", target, `-vf subtitles=${target}`, H264, drawn);
    expectBoxes(
      await boxSides(drawn),
      lines.map(({ index }) => leftOf(index)),
    );
  });

  it("falls back to software with a warning where an encoder of the hardware does not open", async () => {
    const clip = join(folder.path, "hardware.mp4");
    await ffmpeg(grey(25, 0.1), H264, clip);
    for (const codec of ["h264_nvenc", "h264_vaapi", "h264_nonsense_qsv"]) {
      const warnings: string[] = [];
      const context = { encoding: { codec }, onWarning: (sentence: string) => void warnings.push(sentence) };
      const target = await boxed(folder.path, clip, [boxLine(0, 0)], context);
      expect(await probe(target, "stream=codec_name")).toEqual(["h264"]);
      // A machine may have one of them, but not the last.
      const words = `^The encoder ${codec} does not open \\(.+\\); libx264 makes the video`;
      const said = warnings[0] ?? (codec.includes("nonsense") ? "nothing" : undefined);
      if (said !== undefined && !new RegExp(words).test(said)) throw new Error(`${codec}: ${said}`);
    }
    const wrong = boxed(folder.path, clip, [boxLine(0, 0)], { encoding: { codec: "libnothing" } });
    await expect(wrong).rejects.toMatchObject({ code: "ENCODER_UNKNOWN" });
    const bad = boxed(folder.path, clip, [boxLine(0, 0)], { encoding: { preset: "nonsense" } });
    await expect(bad).rejects.toMatchObject({ code: "FFMPEG_FAILED" });
  });
});
