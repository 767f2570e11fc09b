// What a video is, from lines as ffmpeg 4.1 to 7.1 print them.
import { expect, it } from "vitest";
import { createVideoInfoReader, type VideoInfo } from "../../src/annotate/video-info.ts";

function infoOf(...lines: readonly string[]): VideoInfo | undefined {
  const read = createVideoInfoReader();
  let info: VideoInfo | undefined;
  for (const line of [...lines, "[info] Output #0, nut, to 'pipe:1':"]) info ??= read(line);
  return info;
}

const H264 = "Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709, progressive)";

it("a telephone's video: its clock, its turn and its frame rate", () => {
  const info = infoOf(
    "[info]   Duration: 00:01:02.50, start: -0.023220, bitrate: 1000 kb/s",
    `[info]   Stream #0:0[0x1](und): ${H264}, 1920x1080 [SAR 1:1 DAR 16:9], 900 kb/s, 29.97 fps, 29.97 tbr, 30k tbn (default)`,
    "[info]     Side data:",
    "[info]       displaymatrix: rotation of -90.00 degrees",
    "[info] Stream mapping:",
    "[info]   Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))",
  );
  expect(info).toEqual({ codec: "h264", duration: 62.5, start: -0.02322, rotation: 90, frameRate: [30_000, 1001] });
});

it("the stream that is decoded, and not the cover before it", () => {
  const info = infoOf(
    "[info]   Duration: N/A, start: 0.000000, bitrate: N/A",
    "[info]   Stream #0:0: Video: mjpeg (Baseline), yuvj420p(pc), 100x100, 90k tbr, 90k tbn (attached pic)",
    "[info]   Stream #0:2(und): Video: vp9 (Profile 0), yuv420p(tv), 640x480, SAR 8:9 DAR 32:27, 12.50 fps, 12.50 tbr, 1k tbn",
    "[info]   Stream #0:2 -> #0:0 (vp9 (native) -> rawvideo (native))",
  );
  expect(info).toEqual({ codec: "vp9", start: 0, rotation: 0, frameRate: [25, 2], pixelAspect: [8, 9] });
});

it("a video that says nothing of itself", () => {
  expect(infoOf("[info]   Stream #0:0: Video: h264, none")).toEqual({ codec: "h264", start: 0, rotation: 0 });
  expect(infoOf()).toEqual({ codec: "unknown", start: 0, rotation: 0 });
});
