// The bytes of a JPEG or PNG -> the RGB that is stored in it, upright.
import sharp, { type OutputInfo } from "sharp";
import { MultiboxError } from "../errors.ts";
import type { RgbImage } from "./detection.ts";

const MAX_PIXELS = 50_000_000;
/** As much as libjpeg takes. A row or a column costs much more than its pixels: a PNG of 1 x 50,000,000 takes a minute. */
const MAX_SIDE = 65_500;

/**
 * Upright (EXIF), 8 bits, transparent parts on white, and the colours as they are stored: what detectors are trained with knows no
 * colour profiles, and to apply them costs the default model 0.004 AP on COCO's pictures. Fails with PICTURE_UNREADABLE for
 * anything but a whole JPEG or PNG, and with PICTURE_TOO_LARGE beyond 50 megapixels or sides of 65,500, before any of them is decoded.
 */
export async function decodePicture(bytes: Uint8Array): Promise<RgbImage> {
  // The decoders for everything else that sharp knows, SVG for one, must not see what strangers send.
  if (!isJpeg(bytes) && !isPng(bytes)) throw unreadable("it is neither a JPEG nor a PNG");
  const { width, height } = await sharp(bytes, { ...OPTIONS, failOn: "error" })
    .metadata()
    .catch(rethrow);
  if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE) throw tooLarge(width, height);
  const { data, info } = await decodeWhole(bytes);
  return {
    format: "rgb24",
    width: info.width,
    height: info.height,
    data: info.channels === 1 ? greyToRgb(data) : data,
  };
}

const OPTIONS = { limitInputPixels: false, ignoreIcc: true } as const;

type Decoded = { readonly data: Buffer; readonly info: OutputInfo };

/**
 * Warnings of the decoders are either about the data, so that a part of the image is lost, or about its wrapping, which every
 * reader ignores: a JFIF revision 2.01, SOS parameters of a baseline scan, bytes between two segments.
 */
async function decodeWhole(bytes: Uint8Array): Promise<Decoded> {
  const decode = (failOn: "warning" | "error"): Promise<Decoded> =>
    sharp(bytes, { ...OPTIONS, failOn })
      .autoOrient()
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
  try {
    return await decode("warning");
  } catch (warning) {
    const reason = reasonOf(warning);
    if (LOST_DATA.test(reason)) throw unreadable(reason);
    return await decode("error").catch((error: unknown) => {
      const second = reasonOf(error);
      throw unreadable(second === "Unknown error" ? reason : second);
    });
  }
}

/** libjpeg's warnings (jerror.h) and libpng's errors about pixels that are not there. */
const LOST_DATA =
  /premature end|bad Huffman code|bad arithmetic code|instead of RST|inconsistent progression|read error/i;

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
  throw unreadable(reasonOf(error));
}

/** The decoder's own words, each line of them once; harmless warnings only where there is nothing else. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split("\n").map((line) => line.replace(/^(?:VipsJpeg|vipspng): /, "").trim());
  const own = lines.filter((line) => line !== "" && !line.startsWith("Warning treated as error"));
  const lost = own.filter((line) => LOST_DATA.test(line));
  return [...new Set(lost.length > 0 ? lost : own)].join("; ") || "the decoder gives no reason";
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
    `The picture has ${width} x ${height} pixels, and at most ${MAX_PIXELS / 1e6} million are read, with sides of up to ${MAX_SIDE}.`,
    "Scale it down; the network sees a few hundred pixels a side anyway.",
  );
}
