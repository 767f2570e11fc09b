// Labels as subtitles, read by ffmpeg.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FrameLine } from "../../../src/annotate/annotation.ts";
import { srtFormat, vttFormat } from "../../../src/annotate/writers/subtitles.ts";
import { ffmpeg, makeFolder } from "../../support/ffmpeg.ts";
import { convert, oddHeader, oddLine } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const [person, dog] = exampleLine(0).detections;
const line = (index: number, ...detections: FrameLine["detections"][number][]): FrameLine => {
  return { index, pts: index / 25, detections };
};
const LINES = [
  line(0, person!, dog!, person!),
  line(1, dog!, person!, person!),
  line(2),
  line(3, dog!),
  line(4, dog!),
  // Looked at again after 2 s: what was on before is not held that long.
  line(54, dog!),
];

describe("labels as subtitles", () => {
  it("stand as long as they stay the same, and change between two frames", async () => {
    const { text } = await convert(srtFormat, folder.path, exampleHeader(), LINES);
    expect(text).toBe(
      [
        "1\n00:00:00,000 --> 00:00:00,060\n2 person, dog\n",
        "2\n00:00:00,100 --> 00:00:00,660\ndog\n",
        "3\n00:00:02,160 --> 00:00:02,200\ndog\n\n",
      ].join("\n"),
    );
  });

  it.each([vttFormat, srtFormat])("are read by ffmpeg as $title, with their texts and times", async (format) => {
    const { target } = await convert(format, folder.path, exampleHeader(), LINES);
    const ass = (await ffmpeg("-i", target, "-f", "ass", "-")).toString("utf8");
    const events = [...ass.matchAll(/^Dialogue: \d,([^,]+),([^,]+),.*,,(.*?)\r?$/gm)].map((match) => match.slice(1));
    expect(events).toEqual([
      ["0:00:00.00", "0:00:00.06", "2 person, dog"],
      ["0:00:00.10", "0:00:00.66", "dog"],
      ["0:00:02.16", "0:00:02.20", "dog"],
    ]);
  });

  it("escape what WebVTT takes for tags, and have one line a subtitle", async () => {
    const { text } = await convert(vttFormat, folder.path, oddHeader(), [oddLine()]);
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[3]).toContain("&lt;b&gt; &amp;");
    expect(lines[3]).toContain("two lines");
  });

  it("are empty where nothing was found", async () => {
    expect((await convert(vttFormat, folder.path, exampleHeader(), [line(0)])).text).toBe("WEBVTT\n");
    expect((await convert(srtFormat, folder.path, exampleHeader(), [])).text).toBe("");
  });
});
