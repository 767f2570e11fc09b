// Reads a picture of a data set, and sees that it is the one that was annotated.
import { readFile } from "node:fs/promises";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { decodePicture } from "../../model/decode-picture.ts";
import type { RgbImage } from "../../model/detection.ts";
import type { DataPicture } from "../truth.ts";

/** What is needed to find and check a picture. */
export type PictureFile = Pick<DataPicture, "file" | "width" | "height">;

export interface ReadPicture {
  readonly bytes: Uint8Array;
  readonly image: RgbImage;
}

/** Fails with FILE_NOT_READABLE, PICTURE_UNREADABLE, PICTURE_TOO_LARGE or PICTURE_MISMATCH. */
export async function readPicture({ file, width, height }: PictureFile): Promise<ReadPicture> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new MultiboxError("FILE_NOT_READABLE", `It cannot be read: ${sentenceOf(cause)}.`, "", { cause });
  });
  const image = await decodePicture(bytes);
  if (image.width === width && image.height === height) return { bytes, image };
  // Its boxes would lie elsewhere.
  throw new MultiboxError(
    "PICTURE_MISMATCH",
    `It has ${image.width} x ${image.height} pixels, and the annotations say ${width} x ${height}.`,
    "Put the annotated picture in its place, or correct the annotations.",
  );
}
