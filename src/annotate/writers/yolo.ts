// YOLO's text files: a folder as Ultralytics trains from (https://docs.ultralytics.com/datasets/detect/), names as CVAT and Label Studio take them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeFailure } from "../../whole-file.ts";
import { sizeOf, type AnnotationHeader, type AnnotationLine } from "../annotation.ts";
import type { AnnotationFormat } from "../format.ts";
import { frameName } from "./frame-names.ts";
import { UniqueNames } from "./unique-names.ts";

export const yoloFormat: AnnotationFormat = {
  name: "yolo",
  title: "YOLO, a folder of text files",
  kind: "folder",
  suffix: "-yolo",
  endings: [],
  async convert({ header, lines }, target, { signal }) {
    const folder = join(target, "labels");
    const names = new UniqueNames();
    // Classes are numbered without gaps, by all that the model knows, so that every video of a model has the same numbers.
    const labels = header.model.labels.map(({ label }) => label);
    const numberOf = new Map(header.model.labels.map(({ classId }, number) => [classId, number]));
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(join(target, "classes.txt"), labels.map((label) => `${label}\n`).join(""));
      const data = { path: ".", train: "images", val: "images", names: Object.fromEntries(labels.entries()) };
      await writeFile(join(target, "data.yaml"), stringify(data));
      for await (const line of lines()) {
        signal?.throwIfAborted();
        const name = names.take(frameName(header, line), line);
        // A frame with nothing on it has an empty file: it was looked at.
        await writeFile(join(folder, `${name}.txt`), rows(header, line, numberOf));
      }
    } catch (cause) {
      throw writeFailure(cause, target);
    }
  },
};

/** `class centre-x centre-y width height`, as shares of the picture. Trainers refuse a sixth number, so there is no score. */
function rows(header: AnnotationHeader, line: AnnotationLine, numberOf: ReadonlyMap<number, number>): string {
  const { width, height } = sizeOf(header, line);
  return line.detections
    .map(({ classId, bbox: [x, y, w, h] }) => {
      const shares = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height];
      return `${numberOf.get(classId)} ${shares.map((share) => Math.min(Math.max(share, 0), 1).toFixed(6)).join(" ")}\n`;
    })
    .join("");
}
