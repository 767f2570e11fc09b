// A YUV picture as RGB for people to look at: shrunk by averaging where it is much too large, then converted by its colour tags.
import { colourWeights } from "../model/colour.ts";
import type { ColourTags, RgbImage, YuvImage } from "../model/detection.ts";

/**
 * Converts a picture, shrunk by a whole factor so that it is at least `minWidth` wide where it was. (The network's
 * pictures are sampled by `model/sample.ts`, which must not average.)
 */
export function yuvToRgb(picture: YuvImage, minWidth: number = picture.width): RgbImage {
  const factor = Math.max(1, Math.floor(picture.width / minWidth));
  const width = Math.max(1, Math.floor(picture.width / factor));
  const height = Math.max(1, Math.floor(picture.height / factor));
  const chromaWidth = (picture.width + 1) >> 1;
  const chromaHeight = (picture.height + 1) >> 1;
  const uFrom = picture.width * picture.height;
  const vFrom = uFrom + chromaWidth * chromaHeight;
  const y = picture.data.subarray(0, uFrom);
  const u = picture.data.subarray(uFrom, vFrom);
  const v = picture.data.subarray(vFrom, vFrom + chromaWidth * chromaHeight);
  const data =
    factor === 1
      ? convert(y, u, v, width, height, chromaWidth, 1, picture.colour)
      : convert(
          shrink(y, picture.width, picture.height, width, height),
          shrink(u, chromaWidth, chromaHeight, width, height),
          shrink(v, chromaWidth, chromaHeight, width, height),
          width,
          height,
          width,
          0,
          picture.colour,
        );
  return { format: "rgb24", width, height, data };
}

/** Averages one plane to a smaller or equal size. Every sample counts in exactly one average, so nothing is cut off. */
function shrink(plane: Uint8Array, width: number, height: number, toWidth: number, toHeight: number): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight);
  const bounds = Int32Array.from({ length: toWidth + 1 }, (_, i) => Math.floor((i * width) / toWidth));
  const sums = new Int32Array(toWidth);
  for (let row = 0, at = 0; row < toHeight; row++) {
    // Chroma may have one row or column less than twice the size asks for; then neighbours share one.
    const top = Math.floor((row * height) / toHeight);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / toHeight));
    sums.fill(0);
    for (let from = top; from < bottom; from++) {
      const base = from * width;
      for (let column = 0; column < toWidth; column++) {
        const left = bounds[column]!;
        const right = Math.max(left + 1, bounds[column + 1]!);
        let sum = 0;
        for (let i = left; i < right; i++) sum += plane[base + i]!;
        sums[column]! += sum;
      }
    }
    for (let column = 0; column < toWidth; column++) {
      const samples = Math.max(1, bounds[column + 1]! - bounds[column]!) * (bottom - top);
      out[at++] = (sums[column]! + (samples >> 1)) / samples;
    }
  }
  return out;
}

/** Interleaved RGB of planes whose chroma is subsampled by `1 << chromaShift` both ways. */
function convert(
  y: Uint8Array,
  u: Uint8Array,
  v: Uint8Array,
  width: number,
  height: number,
  chromaWidth: number,
  chromaShift: number,
  colour: ColourTags,
): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const clamped = new Uint8ClampedArray(out.buffer);
  const { luma, redV, greenU, greenV, blueU } = tables(colour);
  for (let row = 0, from = 0, at = 0; row < height; row++) {
    const chromaRow = (row >> chromaShift) * chromaWidth;
    for (let column = 0; column < width; column++) {
      const chroma = chromaRow + (column >> chromaShift);
      const l = luma[y[from++]!]!;
      clamped[at++] = (l + redV[v[chroma]!]!) >> 16;
      clamped[at++] = (l + greenU[u[chroma]!]! + greenV[v[chroma]!]!) >> 16;
      clamped[at++] = (l + blueU[u[chroma]!]!) >> 16;
    }
  }
  return out;
}

/** What each 8-bit sample adds to a channel, with 16 fractional bits; half a level for rounding is in `luma`. */
function tables(colour: ColourTags): Record<"luma" | "redV" | "greenU" | "greenV" | "blueU", Int32Array> {
  const { black, luma, redV, greenU, greenV, blueU } = colourWeights(colour);
  const table = (zero: number, scale: number, plus = 0): Int32Array =>
    Int32Array.from({ length: 256 }, (_, sample) => Math.round((sample - zero) * scale * 65536 + plus));
  return {
    luma: table(black, luma, 32768),
    redV: table(128, redV),
    greenU: table(128, -greenU),
    greenV: table(128, -greenV),
    blueU: table(128, blueU),
  };
}
