// Colours from the lines that ffmpeg prints, each as a real one printed it.
import { expect, test } from "vitest";
import { createColourReader } from "../../src/pipeline/colour-tags.ts";

const OUTPUT = "[info] Output #0, nut, to 'pipe:1':";
const output = (format: string): string =>
  `[info]   Stream #0:0: Video: rawvideo (I420 / 0x30323449), ${format}, 320x240 [SAR 1:1 DAR 4:3], q=2-31, 9216 kb/s`;
const input = (format: string): string =>
  `[info]   Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), ${format}, 320x240 [SAR 1:1 DAR 4:3], 75 kb/s`;

function read(...lines: string[]): unknown {
  const reader = createColourReader();
  return lines.map((line) => reader(line)).find((colour) => colour !== undefined);
}

test.each([
  ["yuv420p", "bt601", false],
  ["yuv420p(progressive)", "bt601", false],
  ["yuv420p(tv, bt709, progressive)", "bt709", false],
  ["yuv420p(tv, bt470bg/unknown/unknown, progressive)", "bt601", false],
  ["yuv420p(tv, smpte170m/bt709/bt709)", "bt601", false],
  ["yuv420p(tv, bt2020nc/bt2020/smpte2084, progressive)", "bt2020", false],
  ["yuv420p(pc, bt709/unknown/unknown, top coded first (swapped))", "bt709", true],
  ["yuv420p(pc)", "bt601", true],
])("the output's %s is %s, full range: %s", (format, matrix, fullRange) => {
  expect(read(input("yuv420p(pc, bt2020nc)"), OUTPUT, output(format))).toEqual(
    format === "yuv420p" ? { matrix: "bt2020", fullRange: true } : { matrix, fullRange },
  );
});

test.each([
  ["yuvj420p(pc, bt709/unknown/unknown)", "bt709", false],
  ["yuv420p10le(tv, bt2020nc/unknown/smpte2084)", "bt2020", false],
  ["gbrp(pc, gbr/unknown/unknown)", "bt601", false],
  ["yuv420p(pc)", "bt601", true],
  ["yuv420p", "bt601", false],
])(
  "where ffmpeg 4 does not tag the output, the input's %s is what it was made from: %s, full range: %s",
  (format, matrix, fullRange) => {
    expect(read(input(format), OUTPUT, output("yuv420p"))).toEqual({ matrix, fullRange });
  },
);

test("nothing is known before the output's own line", () => {
  expect(read(input("yuv420p(tv, bt709)"), "[info] Stream mapping:", OUTPUT, "[info]   Metadata:")).toBeUndefined();
});

test("an output line of an unknown shape means untagged, so that pictures do not wait for ever", () => {
  expect(read(OUTPUT, "[info]   Stream #0:0: Video: rawvideo, something new")).toEqual({
    matrix: "bt601",
    fullRange: false,
  });
});
