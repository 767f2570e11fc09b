// Lines as ffmpeg 4.1, 5.1 and 7.0 printed them.
import { expect, it } from "vitest";
import { createVideoInfoReader } from "../../src/annotate/video-info.ts";
import { createColourReader } from "../../src/pipeline/colour-tags.ts";
import { inputFormat, inputRotation, isRepeated, isResized, messagesOf } from "../../src/pipeline/ffmpeg-lines.ts";

const ASK = "If you want to help, upload a sample of this file to";
const LISTS = "and contact the ffmpeg-devel mailing list. (ffmpeg-devel@ffmpeg.org)";
const OLD = `${ASK} ftp://upload.ffmpeg.org/incoming/ ${LISTS}`;
const NEW = `${ASK} https://streams.videolan.org/upload/ ${LISTS}`;

it.each([
  [`${OLD}Output #0, nut, to 'pipe:1':`, [OLD, "[info] Output #0, nut, to 'pipe:1':"]],
  [`${NEW}Output #0, nut, to '/proc/1/fd/20':`, [NEW, "[info] Output #0, nut, to '/proc/1/fd/20':"]],
  [`${NEW}Stream mapping:`, [NEW, "[info] Stream mapping:"]],
  [
    `${NEW}Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'a.mp4':`,
    [NEW, "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'a.mp4':"],
  ],
  [`${NEW}Odd rotation angle.`, [`${NEW}Odd rotation angle.`]],
  ["[info] Output #0, nut, to 'pipe:1':", ["[info] Output #0, nut, to 'pipe:1':"]],
  [
    "[info]     title           : Output #0, nut, to 'pipe:1':",
    ["[info]     title           : Output #0, nut, to 'pipe:1':"],
  ],
  ["[info] Input #0, mov, from 'Output #0, nut, to 'x'':", ["[info] Input #0, mov, from 'Output #0, nut, to 'x'':"]],
])("%s", (line, messages) => {
  expect(messagesOf(line)).toEqual(messages);
});

/** Of a video that is rotated by 45 degrees. */
const PRINTED: readonly (readonly [version: string, ...lines: string[]])[] = [
  [
    "4.1",
    "[info]   Duration: 00:00:01.00, start: 0.000000, bitrate: 184 kb/s",
    "[info]     Stream #0:0(und): Video: h264 (High 4:4:4 Predictive) (avc1 / 0x31637661), yuv420p, 128x64 [SAR 1:1 DAR 2:1], 177 kb/s, 10 fps, 10 tbr, 10240 tbn, 20 tbc (default)",
    "[info]       rotate          : 45",
    "[info]       displaymatrix: rotation of -45.00 degrees",
    "[info] Stream mapping:",
    "[info]   Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))",
    "[info]   Stream #0:0 -> #0:1 (h264 (native) -> rawvideo (native))",
    "[warning] Odd rotation angle.",
    `${OLD}Odd rotation angle.`,
    `${OLD}Output #0, nut, to 'pipe:1':`,
    "[info]     Stream #0:0: Video: rawvideo (Y800 / 0x30303859), gray(progressive), 128x1 [SAR 1:64 DAR 2:1], q=2-31, 10 kb/s, 10 fps, 81920 tbn, 10 tbc (default)",
    "[info]     Stream #0:1: Video: rawvideo (I420 / 0x30323449), yuv420p, 128x64 [SAR 1:1 DAR 2:1], q=2-31, 983 kb/s, 10 fps, 81920 tbn, 10 tbc (default)",
  ],
  [
    "5.1",
    "[info]   Duration: 00:00:01.00, start: 0.000000, bitrate: 184 kb/s",
    "[info]   Stream #0:0[0x1](und): Video: h264 (High 4:4:4 Predictive) (avc1 / 0x31637661), yuv420p(progressive), 128x64 [SAR 1:1 DAR 2:1], 177 kb/s, 10 fps, 10 tbr, 10240 tbn (default)",
    "[info]       displaymatrix: rotation of -45.00 degrees",
    "[info] Stream mapping:",
    "[info]   Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))",
    "[info]   Stream #0:0 -> #0:1 (h264 (native) -> rawvideo (native))",
    "[warning] Odd rotation angle.",
    `${NEW}Odd rotation angle.`,
    `${NEW}Output #0, nut, to 'pipe:1':`,
    "[info]   Stream #0:0: Video: rawvideo (Y800 / 0x30303859), gray(pc, progressive), 128x1 [SAR 1:64 DAR 2:1], q=2-31, 10 kb/s, 10 fps, 81920 tbn (default)",
    "[info]   Stream #0:1: Video: rawvideo (I420 / 0x30323449), yuv420p(progressive), 128x64 [SAR 1:1 DAR 2:1], q=2-31, 983 kb/s, 10 fps, 81920 tbn (default)",
  ],
];

it.each(PRINTED)("a video and its colours are described by what %s prints", (_, ...lines) => {
  const [readInfo, readColour] = [createVideoInfoReader(), createColourReader()];
  const messages = lines.flatMap((line) => messagesOf(line));
  expect(messages.map((line) => readInfo(line)).find((info) => info !== undefined)).toEqual({
    codec: "h264",
    duration: 1,
    start: 0,
    rotation: 45,
    frameRate: [10, 1],
  });
  expect(messages.map((line) => readColour(line)).find((colour) => colour !== undefined)).toEqual({
    matrix: "bt601",
    fullRange: false,
  });
  expect(messages.map((line) => inputRotation(line)).find((degrees) => degrees !== undefined)).toBe(-45);
});

const CONTEXT = "[graph 0 input from stream 0:0 @ 0x55a5]";
it.each([
  [`${CONTEXT} [info] Changing frame properties on the fly is not supported by all filters.`, true],
  [
    `${CONTEXT} [info] filter context - w: 320 h: 240 fmt: 0, incoming frame - w: 240 h: 320 fmt: 0 pts_time: 3.8`,
    true,
  ],
  [
    `${CONTEXT} [info] filter context - w: 320 h: 240 fmt: 0, incoming frame - w: 320 h: 240 fmt: 4 pts_time: 3.8`,
    false,
  ],
  [`${CONTEXT} [warning] Changing video frame properties on the fly is not supported by all filters.`, false],
  [
    `${CONTEXT} [warning] filter context - w: 320 h: 240 fmt: 0 csp: unknown range: unknown, incoming frame - w: 240 h: 320 fmt: 0 csp: unknown range: unknown pts_time: 3.8`,
    true,
  ],
])("%s: another size is %s", (line, resized) => {
  expect([isRepeated(line), isResized(line)]).toEqual([true, resized]);
});

it("names the format of the input", () => {
  expect(inputFormat("[info] Input #0, mpegts, from 'file:/a.ts':")).toBe("mpegts");
  expect(inputFormat("[info]     title: Input #0, tty, from 'x'")).toBeUndefined();
});
