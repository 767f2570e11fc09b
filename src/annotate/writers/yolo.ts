// YOLO's text files: a folder as Ultralytics trains from (https://docs.ultralytics.com/datasets/detect/), names as CVAT and Label Studio take them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFailure } from "../../whole-file.ts";
import { sizeOf, type AnnotationHeader, type AnnotationLine } from "../annotation.ts";
import type { AnnotationFormat } from "../format.ts";
import { frameName } from "./frame-names.ts";
import { oneLine } from "./one-line.ts";
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
      await writeFile(join(target, "classes.txt"), labels.map((label) => `${lineOf(label)}\n`).join(""));
      await writeFile(join(target, "data.yaml"), dataYaml(labels));
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

/** A line a class, whatever the label: readers split at all of Unicode's line ends, and pass over empty lines. */
function lineOf(label: string): string {
  return oneLine(label).trim() || "_";
}

/**
 * Integer keys and quoted names, which mean the same to readers of YAML 1.1 (PyYAML, for which `no` and `12:30` are not texts) and 1.2.
 * Escapes are JSON's, and cover what PyYAML refuses or folds within quotes.
 */
function dataYaml(labels: readonly string[]): string {
  // oxlint-disable-next-line no-control-regex
  const unsafe = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
  const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const names = labels.map((label, number) => `  ${number}: ${JSON.stringify(label).replaceAll(unsafe, escaped)}\n`);
  return `path: .\ntrain: images\nval: images\nnames:${names.length === 0 ? " {}\n" : `\n${names.join("")}`}`;
}

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
