// PASCAL VOC: a folder with an XML file a frame (devkit, http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html, section 10).
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFailure } from "../../whole-file.ts";
import { sizeOf, type AnnotationHeader, type AnnotationLine } from "../annotation.ts";
import type { AnnotationFormat } from "../format.ts";
import { frameName, pictureName } from "./frame-names.ts";
import { UniqueNames } from "./unique-names.ts";
import { writePieces } from "./text-writer.ts";
import { xmlText } from "./xml.ts";

export const vocFormat: AnnotationFormat = {
  name: "voc",
  title: "PASCAL VOC, a folder of XML files",
  kind: "folder",
  suffix: "-voc",
  endings: [],
  async convert({ header, lines }, target, { signal }) {
    const folder = join(target, "Annotations");
    const lists = join(target, "ImageSets", "Main");
    const names = new UniqueNames();
    try {
      await mkdir(folder, { recursive: true });
      await mkdir(lists, { recursive: true });
      const written = async function* (): AsyncGenerator<string, void> {
        for await (const line of lines()) {
          signal?.throwIfAborted();
          const name = names.take(frameName(header, line), line);
          await writeFile(join(folder, `${name}.xml`), annotation(header, line));
          yield `${name}\n`;
        }
      };
      await writePieces(join(lists, "default.txt"), written());
    } catch (cause) {
      throw writeFailure(cause, target);
    }
  },
};

function annotation(header: AnnotationHeader, line: AnnotationLine): string {
  const size = sizeOf(header, line);
  return [
    "<annotation>",
    "  <folder>JPEGImages</folder>",
    `  <filename>${xmlText(pictureName(header, line))}</filename>`,
    `  <source><database>multibox</database><annotation>${xmlText(header.model.name)}</annotation></source>`,
    `  <size><width>${size.width}</width><height>${size.height}</height><depth>3</depth></size>`,
    "  <segmented>0</segmented>",
    ...line.detections.map((detection) => object(detection, size)),
    "</annotation>",
    "",
  ].join("\n");
}

/** Whole pixels that count from 1, the last one included. A form for truths has no place for scores. */
function object(
  { label, bbox: [x, y, width, height] }: AnnotationLine["detections"][number],
  size: { readonly width: number; readonly height: number },
): string {
  const [left, right] = pixels(x, width, size.width);
  const [top, bottom] = pixels(y, height, size.height);
  return [
    "  <object>",
    `    <name>${xmlText(label)}</name>`,
    "    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>",
    `    <bndbox><xmin>${left}</xmin><ymin>${top}</ymin><xmax>${right}</xmax><ymax>${bottom}</ymax></bndbox>`,
    "  </object>",
  ].join("\n");
}

function pixels(from: number, length: number, most: number): [number, number] {
  const first = Math.min(Math.max(Math.round(from) + 1, 1), most);
  return [first, Math.min(Math.max(Math.round(from + length), first), most)];
}
