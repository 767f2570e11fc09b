// The form that makes a job, as the parts that the server takes.
import type { JobOptions } from "../../jobs/job-schemas.ts";
import { textOf } from "../new-stream.ts";

type Form = JobOptions["out"][number];

/** The forms as people choose them, most wanted first. The type ties their names to the server's. */
export const CHOICES: readonly (readonly [Form, string])[] = [
  ["video", "Video with boxes"],
  ["soft-video", "Video, boxes as a track"],
  ["jsonl", "JSON lines"],
  ["coco", "COCO"],
  ["yolo", "YOLO"],
  ["voc", "PASCAL VOC"],
  ["csv", "CSV"],
  ["cvat", "CVAT"],
  ["label-studio", "Label Studio"],
  ["label-studio-video", "Label Studio, video"],
  ["mot", "MOT"],
  ["vtt", "WebVTT"],
  ["srt", "SRT"],
  ["ass", "ASS"],
  ["coco-results", "COCO results"],
];

export const CHOSEN: readonly Form[] = ["video", "jsonl"];

/** Fields that were left empty are not sent; the file comes last. */
export function partsOf(form: Pick<FormData, "get" | "getAll">, file: File): FormData {
  const parts = new FormData();
  for (const name of ["every", "start", "end", "minScore", "labels"]) {
    const value = textOf(form, name);
    if (value !== "") parts.append(name, value);
  }
  if (form.get("keyframes") !== null) parts.append("keyframes", "true");
  parts.append("out", form.getAll("out").map(String).join(","));
  parts.append("file", file, file.name);
  return parts;
}
