// What a run over HTTP says of how the next one is to read its source.
import { expect, test } from "vitest";
import { judgeReading, learnReading, readingOptions, type SourceReading } from "../../src/pipeline/http-images.ts";

const ONE_IMAGE = { code: 0, stderrTail: ["Input #0, jpeg_pipe, from 'http://cam/x':"] };
const ODD = { code: 1, stderrTail: ["http://cam/x: Invalid data found when processing input"] };
const config = { id: "a", url: "http://cam/x", loop: true, transport: "tcp" } as const;
const learn = (reading: SourceReading, exit: typeof ONE_IMAGE, decoded: number, isChecked = false): boolean =>
  learnReading(reading, config, exit, { decoded, isChecked }) !== undefined;

test("one image and the end is a snapshot, which is asked again, as often as maxFps says, within bounds", () => {
  const reading: SourceReading = {};
  expect([learn(reading, ONE_IMAGE, 1), reading.as]).toEqual([true, "snapshots"]);
  for (const [maxFps, rate] of [
    [undefined, "1"],
    [2, "2"],
    [60, "5"],
    [0.001, "0.1"],
  ] as const)
    expect(readingOptions(reading, { ...config, ...(maxFps && { maxFps }) })).toContain(rate);
});

test("a snapshot is not asked again where its address is checked", () => {
  const reading: SourceReading = {};
  expect([learn(reading, ONE_IMAGE, 1, true), reading.as]).toEqual([false, undefined]);
});

test("only HTTP is read in another way, and only where nothing was played", () => {
  expect(learnReading({}, { url: "rtsp://cam/x" }, ODD, { decoded: 0, isChecked: false })).toBeUndefined();
  expect(learnReading({}, { url: "video.mp4" }, ONE_IMAGE, { decoded: 1, isChecked: false })).toBeUndefined();
  expect(learn({}, ODD, 2)).toBe(false);
});

test("what gives no image in the other way is read as usual, and looked at once more after a while", () => {
  const reading: SourceReading = {};
  expect([learn(reading, ODD, 0), reading.as]).toEqual([true, "jpegs"]);
  judgeReading(reading, 0);
  let runs = 1;
  while (!learn(reading, ODD, 0)) runs += 1;
  expect([runs, reading.as]).toEqual([20, "jpegs"]);
});

test("a camera that was played this way is waited for through failures, but not for ever", () => {
  const reading: SourceReading = {};
  learn(reading, ONE_IMAGE, 1);
  for (const decoded of [9, 0, 0, 0, 0, 9, 0, 0, 0, 0]) judgeReading(reading, decoded);
  expect(reading.as).toBe("snapshots");
  judgeReading(reading, 0);
  expect(reading.as).toBe("usual");
});

test("HLS whose segments have no usual extension is read as HLS with segments of any name", () => {
  const why = "URL http://cam/seg?n=1 is not in allowed_segment_extensions, consider updating hls.c";
  const refused = { code: 1, stderrTail: [`[hls @ 0x1] [error] ${why}`, ...ODD.stderrTail] };
  const reading: SourceReading = {};
  expect([learn(reading, refused, 0), reading.as]).toEqual([true, "hls"]);
  expect(readingOptions(reading, config).join(" ")).toBe("-f hls -extension_picky 0");
});
