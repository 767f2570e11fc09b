// Pictures with their boxes drawn in: a folder of copies under the same names.
import { basename, join } from "node:path";
import { MultiboxError, sentenceOf, systemCode } from "../../errors.ts";
import { writeFailure } from "../../whole-file.ts";
import type { PictureLine } from "../annotation.ts";
import { svgOverlay } from "../drawing/svg.ts";
import type { AnnotationFormat } from "../format.ts";
import { UniqueNames } from "./unique-names.ts";

export const boxedPicturesFormat: AnnotationFormat = {
  name: "boxed",
  title: "the pictures with their boxes",
  kind: "folder",
  suffix: "-boxed",
  endings: ["/"],
  only: "pictures",
  async convert({ lines }, target, { signal }) {
    const names = new UniqueNames();
    for await (const line of lines()) {
      signal?.throwIfAborted();
      if ("file" in line) await draw(line, join(target, names.take(basename(line.file), line)));
    }
  },
};

/** JPEG stays JPEG and PNG stays PNG; turned upright, as the boxes are. */
async function draw({ file, width, height, detections }: PictureLine, target: string): Promise<void> {
  // On demand: videos do without, and it takes its time to load.
  const { default: sharp } = await import("sharp");
  const overlay = Buffer.from(svgOverlay(detections, { width, height }));
  try {
    await sharp(file, { failOn: "none", limitInputPixels: false })
      .autoOrient()
      .composite([{ input: overlay, top: 0, left: 0 }])
      .jpeg({ quality: 92, force: false })
      .toFile(target);
  } catch (cause) {
    // Writing fails with the system's own codes; all else is the picture.
    if (systemCode(cause) !== undefined) throw writeFailure(cause, target);
    throw new MultiboxError("PICTURE_UNREADABLE", `No boxes can be drawn on ${file}: ${sentenceOf(cause)}.`);
  }
}
