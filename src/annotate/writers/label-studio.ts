// Label Studio's tasks with predictions to correct (https://labelstud.io/guide/predictions): a task a picture, or one for the video.
import { basename } from "node:path";
import { sizeOf, type AnnotationLine, type VideoSource } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";
import { picturePath } from "./frame-names.ts";
import { textFormat } from "./text-writer.ts";

export const labelStudioFormat = textFormat({
  name: "label-studio",
  title: "Label Studio JSON, a task a picture or frame",
  suffix: ".label-studio.json",
  endings: [".label-studio.json"],
  pieces: pictureTasks,
});

export const labelStudioVideoFormat = textFormat({
  name: "label-studio-video",
  title: "Label Studio JSON, one task with the video",
  suffix: ".label-studio-video.json",
  endings: [".label-studio-video.json"],
  only: "video",
  pieces: videoTask,
});

type Detection = AnnotationLine["detections"][number];

/** For a labelling set-up of `<Image name="image" value="$image"/>` and `<RectangleLabels name="label" toName="image">`. */
async function* pictureTasks({ header, lines }: Annotations): AsyncGenerator<string, void> {
  let separator = "[\n";
  for await (const line of lines()) {
    const { width, height } = sizeOf(header, line);
    const result = line.detections.map((detection, number) => ({
      id: `${line.index}-${number}`,
      type: "rectanglelabels",
      from_name: "label",
      to_name: "image",
      original_width: width,
      original_height: height,
      image_rotation: 0,
      value: { ...percents(detection, width, height), rotation: 0, rectanglelabels: [detection.label] },
      score: detection.score,
    }));
    const score = Math.min(...line.detections.map((detection) => detection.score), 1);
    const predictions = [{ model_version: `${header.model.name} ${header.model.version}`, score, result }];
    yield separator + JSON.stringify({ data: { image: picturePath(header, line) }, predictions });
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]\n" : "\n]\n";
}

/**
 * For `<Video name="video" value="$video"/>`, `<VideoRectangle name="box" toName="video"/>` and `<Labels name="videoLabels"
 * toName="video">`. Nothing is tracked, so each detection is a region of its own that ends (`enabled: false`) on its frame.
 */
async function* videoTask({ header, lines }: Annotations): AsyncGenerator<string, void> {
  // The form only takes videos.
  const source = header.source as VideoSource;
  const model = `${header.model.name} ${header.model.version}`;
  let framesCount = 0;
  let end = 0;
  for await (const line of lines()) {
    framesCount = line.index + 1;
    if ("pts" in line) end = line.pts;
  }
  const duration = source.duration ?? end;
  yield `[{"data":${JSON.stringify({ video: basename(source.path) })},`;
  yield `"predictions":[{"model_version":${JSON.stringify(model)},"result":[`;
  let separator = "\n";
  for await (const line of lines()) {
    for (const [number, detection] of line.detections.entries()) {
      const time = "pts" in line ? line.pts : 0;
      const { width, height } = sizeOf(header, line);
      const where = { ...percents(detection, width, height), rotation: 0 };
      const sequence = [{ frame: line.index + 1, time, enabled: false, ...where }];
      const value = { framesCount, duration, sequence, labels: [detection.label] };
      const region = { id: `${line.index}-${number}`, type: "videorectangle", from_name: "box", to_name: "video" };
      yield separator + JSON.stringify({ ...region, origin: "prediction", score: detection.score, value });
      separator = ",\n";
    }
  }
  yield "]}]}]\n";
}

/** Of the picture's sides, 0..100. */
function percents({ bbox }: Detection, width: number, height: number): Record<"x" | "y" | "width" | "height", number> {
  const share = (value: number, whole: number): number => Number(((100 * value) / whole).toFixed(4));
  return {
    x: share(bbox[0], width),
    y: share(bbox[1], height),
    width: share(bbox[2], width),
    height: share(bbox[3], height),
  };
}
