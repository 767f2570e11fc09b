// The bytes of a JPEG or PNG -> the RGB that is stored in it, upright.
import sharp from "sharp";
import { MultiboxError } from "../errors.ts";
import type { RgbImage } from "./detection.ts";

const MAX_PIXELS = 50_000_000;

/**
 * Upright (EXIF), 8 bits, transparent parts on white, and the colours as they are stored: what detectors are trained with knows no
 * colour profiles, and to apply them costs the default model 0.004 AP on COCO's pictures. Fails with PICTURE_UNREADABLE for
 * anything but a whole JPEG or PNG, and with PICTURE_TOO_LARGE beyond 50 megapixels, before any of them is decoded.
 */
export async function decodePicture(bytes: Uint8Array): Promise<RgbImage> {
  // The decoders for everything else that sharp knows, SVG for one, must not see what strangers send.
  if (!isJpeg(bytes) && !isPng(bytes)) throw unreadable("it is neither a JPEG nor a PNG");
  const options = { limitInputPixels: false, failOn: "warning", ignoreIcc: true } as const;
  const { width, height } = await sharp(bytes, options).metadata().catch(rethrow);
  if (width * height > MAX_PIXELS) throw tooLarge(width, height);
  const { data, info } = await sharp(bytes, options)
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch(rethrow);
  return {
    format: "rgb24",
    width: info.width,
    height: info.height,
    data: info.channels === 1 ? greyToRgb(data) : data,
  };
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

function isPng(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "\x89PNG";
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, i * 3, i * 3 + 3);
  return rgb;
}

function rethrow(error: unknown): never {
  throw unreadable(error instanceof Error ? error.message.replaceAll(/\s+/g, " ").trim() : String(error));
}

function unreadable(reason: string): MultiboxError {
  return new MultiboxError(
    "PICTURE_UNREADABLE",
    `The picture cannot be read: ${reason}.`,
    "Give a whole JPEG or PNG file.",
  );
}

function tooLarge(width: number, height: number): MultiboxError {
  return new MultiboxError(
    "PICTURE_TOO_LARGE",
    `The picture has ${width} x ${height} pixels, and at most ${MAX_PIXELS / 1e6} million are read.`,
    "Scale it down; the network sees a few hundred pixels a side anyway.",
  );
}
