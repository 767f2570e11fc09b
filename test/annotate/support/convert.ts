// Writes annotations to a folder of their own and converts them, as `multibox annotate` does.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnnotationHeader, AnnotationLine, PictureLine } from "../../../src/annotate/annotation.ts";
import { headerText, lineText, readAnnotations } from "../../../src/annotate/annotation-file.ts";
import type { AnnotationFormat, ConvertContext } from "../../../src/annotate/format.ts";
import { exampleHeader } from "./example.ts";

/** Labels that break what is not escaped. */
export const ODD_LABELS = ["a \"quoted\" <b> & 'c'", "comma, semicolon; = {x} \\N", "café 猫 🚗", "two\nlines"];

/** A header whose model knows the odd labels as 1, 3, 5, 7; its clip has an odd name as well. */
export function oddHeader(): AnnotationHeader {
  const header = exampleHeader({ path: "/videos/straße & <co> 50%.final.mp4" });
  return {
    ...header,
    model: { ...header.model, labels: ODD_LABELS.map((label, i) => ({ classId: 2 * i + 1, label })) },
  };
}

/** One line with one detection of each odd label. */
export function oddLine(): AnnotationLine {
  const detections = ODD_LABELS.map((label, i) => {
    return { label, classId: 2 * i + 1, score: 0.75, bbox: [10 * i, 5, 8, 20] as const };
  });
  return { index: 3, pts: 0.12, detections };
}

/** A header of pictures, and lines about a dog on each of the files. */
export function picturesOf(...files: readonly string[]): { header: AnnotationHeader; lines: PictureLine[] } {
  const dog = { bbox: [10, 20, 30, 40] as const, score: 0.9, label: "dog", classId: 18 };
  const lines = files.map((file, index) => ({ index, file, width: 100 + index, height: 80, detections: [dog] }));
  return { header: { ...exampleHeader(), source: { kind: "pictures" } }, lines };
}

/** Converts into `folder`, and returns where to; the text as well where it is one file. */
export async function convert(
  format: AnnotationFormat,
  folder: string,
  header: AnnotationHeader,
  lines: readonly AnnotationLine[],
  context: ConvertContext = {},
): Promise<{ target: string; text: string }> {
  const path = join(folder, "annotations.jsonl");
  await writeFile(path, headerText(header) + lines.map(lineText).join(""));
  const target = join(folder, `out${format.suffix}`);
  if (format.kind === "folder") await mkdir(target);
  await format.convert(await readAnnotations(path), target, context);
  return { target, text: format.kind === "file" ? await readFile(target, "utf8") : "" };
}
