// Small data sets on disk: grey pictures with a red part, annotated as COCO or as PASCAL VOC.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Box } from "../../../src/model/detection.ts";

export interface RedPicture {
  readonly size: readonly [width: number, height: number];
  readonly red: Box;
}

export const RED_PICTURES: readonly RedPicture[] = [
  { size: [64, 48], red: [8, 10, 20, 16] },
  { size: [40, 60], red: [0, 0, 12, 12] },
  { size: [50, 50], red: [25, 25, 25, 25] },
];

async function draw({ size: [width, height], red: [left, top, w, h] }: RedPicture): Promise<Buffer> {
  const red = await sharp({ create: { width: w, height: h, channels: 3, background: "#ff0000" } })
    .png()
    .toBuffer();
  const grey = sharp({ create: { width, height, channels: 3, background: "#808080" } });
  return await grey
    .composite([{ input: red, left, top }])
    .png()
    .toBuffer();
}

/** What instances.json holds; tests spoil it. */
export interface CocoJson {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: {
    id: number;
    image_id: number;
    category_id: number;
    bbox: readonly number[];
    area?: number;
    iscrowd?: number;
  }[];
  categories: { id: number; name: string }[];
}

/** Picture ids 1, 2, ...; annotation ids 11, 12, ...; the class "red" has id 7. */
export function redCoco(): CocoJson {
  return {
    images: RED_PICTURES.map(({ size: [width, height] }, i) => ({
      id: i + 1,
      file_name: `${i + 1}.png`,
      width,
      height,
    })),
    annotations: RED_PICTURES.map(({ red }, i) => ({
      id: i + 11,
      image_id: i + 1,
      category_id: 7,
      bbox: red,
      iscrowd: 0,
    })),
    categories: [{ id: 7, name: "red" }],
  };
}

/** Writes images/ and instances.json; `json` may be a text that is none. */
export async function writeCoco(folder: string, json: CocoJson | string): Promise<void> {
  await mkdir(join(folder, "images"), { recursive: true });
  for (const [i, picture] of RED_PICTURES.entries())
    await writeFile(join(folder, "images", `${i + 1}.png`), await draw(picture));
  await writeFile(join(folder, "instances.json"), typeof json === "string" ? json : JSON.stringify(json));
}

export function vocXml({ size: [width, height], red: [x, y, w, h] }: RedPicture, fields = ""): string {
  return `<annotation><filename>unused.jpg</filename><size><width>${width}</width><height>${height}</height><depth>3</depth></size>
  <object><name>red</name>${fields}<bndbox><xmin>${x + 1}</xmin><ymin>${y + 1}</ymin><xmax>${x + w}</xmax><ymax>${y + h}</ymax></bndbox></object>
</annotation>`;
}

/** Pictures p1, p2, ... with their annotations, and no list. */
export async function writeVoc(folder: string): Promise<void> {
  await mkdir(join(folder, "Annotations"), { recursive: true });
  await mkdir(join(folder, "JPEGImages"), { recursive: true });
  for (const [i, picture] of RED_PICTURES.entries()) {
    await writeFile(join(folder, "JPEGImages", `p${i + 1}.png`), await draw(picture));
    await writeFile(join(folder, "Annotations", `p${i + 1}.xml`), vocXml(picture));
  }
}
