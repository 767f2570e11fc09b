// Label Studio's tasks, held against what Label Studio publishes of them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { labelStudioFormat, labelStudioVideoFormat } from "../../../src/annotate/writers/label-studio.ts";
import { makeFolder } from "../../support/ffmpeg.ts";
import { convert, ODD_LABELS, oddHeader, oddLine, picturesOf } from "../support/convert.ts";
import { exampleHeader, exampleLine } from "../support/example.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const LINES = [exampleLine(0), { index: 1, pts: 0.04, detections: [] }, exampleLine(4)];

/** https://labelstud.io/guide/predictions and https://labelstud.io/tags/rectanglelabels: places in percent. */
const Percent = z.number().min(0).max(100);
const Place = { x: Percent, y: Percent, width: Percent, height: Percent, rotation: z.literal(0) };
const Region = { id: z.string().min(1), score: z.number().min(0).max(1) };
const PictureRegion = z.strictObject({
  ...Region,
  type: z.literal("rectanglelabels"),
  from_name: z.literal("label"),
  to_name: z.literal("image"),
  original_width: z.int().positive(),
  original_height: z.int().positive(),
  image_rotation: z.literal(0),
  value: z.strictObject({ ...Place, rectanglelabels: z.array(z.string()).length(1) }),
});
const PicturePrediction = z.strictObject({
  model_version: z.string(),
  score: z.number().min(0).max(1),
  result: z.array(PictureRegion),
});
const PictureTasks = z.array(
  z.strictObject({ data: z.strictObject({ image: z.string().min(1) }), predictions: z.array(PicturePrediction) }),
);

/** https://labelstud.io/tags/videorectangle, "Sample Results JSON". */
const VideoRegion = z.strictObject({
  ...Region,
  type: z.literal("videorectangle"),
  from_name: z.literal("box"),
  to_name: z.literal("video"),
  origin: z.enum(["manual", "prediction"]),
  value: z.strictObject({
    framesCount: z.int().nonnegative(),
    duration: z.number().positive(),
    labels: z.array(z.string()).length(1),
    sequence: z.array(z.strictObject({ frame: z.int().min(1), time: z.number(), enabled: z.boolean(), ...Place })),
  }),
});
const VideoTasks = z.array(
  z.strictObject({
    data: z.strictObject({ video: z.string().min(1) }),
    predictions: z.array(z.strictObject({ model_version: z.string(), result: z.array(VideoRegion) })),
  }),
);

describe("Label Studio's tasks", () => {
  it("are one a frame, with the boxes in percent", async () => {
    const { text } = await convert(labelStudioFormat, folder.path, exampleHeader(), LINES);
    const tasks = PictureTasks.parse(JSON.parse(text));
    expect(tasks.map(({ data }) => data.image)).toEqual(["clip_000000.jpg", "clip_000001.jpg", "clip_000004.jpg"]);
    expect(tasks[0]!.predictions[0]!.result[1]!.value).toEqual({
      x: 31.25,
      y: 25.0521,
      width: 9.375,
      height: 10.4167,
      rotation: 0,
      rectanglelabels: ["dog"],
    });
    expect(tasks[1]!.predictions[0]!.result).toEqual([]);
  });

  it("are one for the video, with a region that ends on its frame for each detection", async () => {
    const { text } = await convert(labelStudioVideoFormat, folder.path, exampleHeader(), LINES);
    const [task] = VideoTasks.parse(JSON.parse(text));
    expect(task!.data.video).toBe("clip.mp4");
    const regions = task!.predictions[0]!.result;
    expect(regions).toHaveLength(4);
    expect(regions[2]!.value).toMatchObject({ framesCount: 5, duration: 4, labels: ["person"] });
    expect(regions[2]!.value.sequence).toEqual([
      { frame: 5, time: 0.16, enabled: false, x: 2.1875, y: 4.1667, width: 4.7656, height: 8.3333, rotation: 0 },
    ]);
  });

  it("keep odd labels and pictures' names, and are whole without frames", async () => {
    const odd = await convert(labelStudioFormat, folder.path, oddHeader(), [oddLine()]);
    const [task] = PictureTasks.parse(JSON.parse(odd.text));
    expect(task!.predictions[0]!.result.map(({ value }) => value.rectanglelabels[0])).toEqual(ODD_LABELS);
    const { header, lines } = picturesOf("a/x.png");
    const own = await convert(labelStudioFormat, folder.path, header, lines);
    expect(PictureTasks.parse(JSON.parse(own.text))[0]!.data.image).toBe("x.png");
    expect(JSON.parse((await convert(labelStudioFormat, folder.path, header, [])).text)).toEqual([]);
    const none = await convert(labelStudioVideoFormat, folder.path, exampleHeader(), []);
    expect(VideoTasks.parse(JSON.parse(none.text))[0]!.predictions[0]!.result).toEqual([]);
  });
});
