// What a frame is called in forms that know only pictures: the name that ffmpeg gives it when it is told to write all frames.
import { basename, parse } from "node:path";
import type { AnnotationHeader, AnnotationLine } from "../annotation.ts";

/** `street_000012` for frame 12 of `street.mp4`; a picture keeps its own name, without folder and ending. */
export function frameName(header: AnnotationHeader, line: AnnotationLine): string {
  if ("file" in line) return tame(parse(line.file).name);
  return `${videoName(header)}_${String(line.index).padStart(6, "0")}`;
}

/** `street_000012.jpg`, or the picture's own name: for forms with one folder for all. */
export function pictureName(header: AnnotationHeader, line: AnnotationLine): string {
  return "file" in line ? tame(basename(line.file)) : `${frameName(header, line)}.jpg`;
}

/** `street_000012.jpg`, or where the picture is within the folder that was named, with `/`: for forms that know paths. */
export function picturePath(header: AnnotationHeader, line: AnnotationLine): string {
  return "file" in line && line.name !== undefined ? tame(line.name) : pictureName(header, line);
}

/** `street` for `videos/street.mp4`. */
export function videoName({ source }: AnnotationHeader): string {
  if (source.kind === "pictures") return "pictures";
  return source.path === "-" ? "stdin" : tame(parse(source.path).name) || "video";
}

/** Lists of names have one a line. */
function tame(name: string): string {
  // oxlint-disable-next-line no-control-regex
  return name.replaceAll(/[\u0000-\u001f\u007f]/g, "_");
}
