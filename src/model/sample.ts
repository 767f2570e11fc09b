// A picture of any size, YUV or RGB -> the network's RGB, sampled as the model was trained.
import { type ColourWeights, colourWeights } from "./colour.ts";
import type { ColourTags, Picture, RgbImage, YuvImage } from "./detection.ts";
import type { SsdSpec } from "./spec.ts";

/**
 * Writes a picture as interleaved RGB of the network's input size, `width * height * 3` bytes, at `out[at]`; of those only
 * the rows from `fromRow` up to `toRow`, which are all when not given.
 */
export type Sampler = (picture: Picture, out: Uint8Array, at: number, fromRow?: number, toRow?: number) => void;

/** Where each output coordinate falls between two source coordinates: `first`, `second`, and the weight of the second. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
  /** Of the two, the nearer one's chroma sample. */
  readonly chroma: Int32Array;
}

// Weights have 11 bits; after both passes a value of 8 bits has 8 + 11 + 11 = 30, which fits an int32.
const BITS = 11;
const ONE = 1 << BITS;

/**
 * Builds the sampling of a spec: plain bilinear, two by two source pixels for each output pixel, without the low-pass filter
 * that `ffmpeg -vf scale` and most resizers add, because SSDs are trained without it. Taps are computed once a source size.
 */
export function createSampler({ width, height, resize }: SsdSpec["input"]): Sampler {
  const cache = new Map<string, { x: Taps; y: Taps }>();
  const rows = [new Int32Array(width * 3), new Int32Array(width * 3)] as const;
  const tapsOf = (picture: Picture): { x: Taps; y: Taps } => {
    const key = `${picture.width}x${picture.height}`;
    const known = cache.get(key) ?? { x: taps(picture.width, width, resize), y: taps(picture.height, height, resize) };
    // One stream has one size; sizes that single pictures bring must not pile up.
    if (cache.size > 64) cache.clear();
    cache.set(key, known);
    return known;
  };
  return (picture, out, at, fromRow = 0, toRow = height) => {
    const { x, y: all } = tapsOf(picture);
    const y = rowsOf(all, fromRow, toRow);
    const start = at + fromRow * width * 3;
    if (picture.format === "rgb24") sampleRgb(picture, x, y, rows, out, start);
    else sampleYuv(picture, x, y, out, start);
  };
}

function rowsOf({ first, second, weight, chroma }: Taps, from: number, to: number): Taps {
  return {
    first: first.subarray(from, to),
    second: second.subarray(from, to),
    weight: weight.subarray(from, to),
    chroma: chroma.subarray(from, to),
  };
}

/** Source coordinates as TensorFlow 1 (`asymmetric`: i * in / out) or Caffe and torchvision (`half-pixel`) compute them. */
function taps(from: number, to: number, resize: SsdSpec["input"]["resize"]): Taps {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Int32Array(to);
  const chroma = new Int32Array(to);
  // TensorFlow computes in 32-bit floats, and an upper neighbour that is one off would show where edges are hard.
  const scale = Math.fround(from / to);
  for (let i = 0; i < to; i++) {
    const at = resize === "asymmetric" ? Math.fround(i * scale) : Math.max(0, (i + 0.5) * scale - 0.5);
    // The last pixel is the second of the last pair, so that two neighbours can always be read as one.
    first[i] = Math.min(Math.floor(at), Math.max(0, from - 2));
    second[i] = Math.min(first[i]! + 1, from - 1);
    weight[i] = from === 1 ? 0 : Math.round(Math.min(1, at - first[i]!) * ONE);
    chroma[i] = (weight[i]! > ONE / 2 ? second[i]! : first[i]!) >> 1;
  }
  return { first, second, weight, chroma };
}

function sampleRgb(
  picture: RgbImage,
  x: Taps,
  y: Taps,
  [top, bottom]: readonly [Int32Array, Int32Array],
  out: Uint8Array,
  start: number,
): void {
  const stride = picture.width * 3;
  const samples = x.first.length * 3;
  const half = 1 << (2 * BITS - 1);
  for (let row = 0, at = start; row < y.first.length; row++) {
    resizeRgbRow(picture.data, y.first[row]! * stride, x, top);
    resizeRgbRow(picture.data, y.second[row]! * stride, x, bottom);
    const weight = y.weight[row]!;
    for (let i = 0; i < samples; i++) {
      out[at++] = (top[i]! * ONE + (bottom[i]! - top[i]!) * weight + half) >> (2 * BITS);
    }
  }
}

function resizeRgbRow(data: Uint8Array, from: number, { first, second, weight }: Taps, out: Int32Array): void {
  for (let i = 0, at = 0; i < first.length; i++) {
    const left = from + first[i]! * 3;
    const right = from + second[i]! * 3;
    const share = weight[i]!;
    out[at++] = data[left]! * ONE + (data[right]! - data[left]!) * share;
    out[at++] = data[left + 1]! * ONE + (data[right + 1]! - data[left + 1]!) * share;
    out[at++] = data[left + 2]! * ONE + (data[right + 2]! - data[left + 2]!) * share;
  }
}

/**
 * Luma is interpolated as RGB would be; chroma, which has a quarter of the samples, is taken from the nearest one. Colour
 * conversion is linear, so converting after interpolating equals the other way round, but for clamping. Integer arithmetic
 * without calls or allocation in the loop, because it runs for every output pixel of every frame.
 */
function sampleYuv({ width, height, data, colour }: YuvImage, x: Taps, y: Taps, out: Uint8Array, start: number): void {
  const { first, weight, chroma } = x;
  // A view reads two neighbours at once, of whatever address.
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const chromaWidth = (width + 1) >> 1;
  const uPlane = width * height;
  const vPlane = uPlane + chromaWidth * ((height + 1) >> 1);
  const { black, luma, redV, greenU, greenV, blueU } = integerWeights(colour);
  let at = start;
  for (let row = 0; row < y.first.length; row++) {
    const lower = y.weight[row]!;
    const upper = ONE - lower;
    const top = y.first[row]! * width;
    const bottom = y.second[row]! * width;
    const uRow = uPlane + y.chroma[row]! * chromaWidth;
    const vRow = uRow - uPlane + vPlane;
    for (let i = 0; i < first.length; i++) {
      const above = view.getUint16(top + first[i]!, true);
      const below = view.getUint16(bottom + first[i]!, true);
      const right = weight[i]!;
      const a = Math.imul(above & 255, upper) + Math.imul(below & 255, lower);
      const b = Math.imul(above >>> 8, upper) + Math.imul(below >>> 8, lower);
      const sample = (Math.imul(a, ONE - right) + Math.imul(b, right)) >> DOWN;
      const l = Math.imul(sample - black, luma) + ROUND;
      const u = data[uRow + chroma[i]!]! - 128;
      const v = data[vRow + chroma[i]!]! - 128;
      let red = (l + Math.imul(v, redV)) >> SHIFT;
      let green = (l - Math.imul(u, greenU) - Math.imul(v, greenV)) >> SHIFT;
      let blue = (l + Math.imul(u, blueU)) >> SHIFT;
      // Few pixels of a real picture leave 0..255, so one test for all three is cheaper than clamping each.
      if (((red | green | blue) & ~255) !== 0) {
        red = Math.max(0, Math.min(255, red));
        green = Math.max(0, Math.min(255, green));
        blue = Math.max(0, Math.min(255, blue));
      }
      out[at] = red;
      out[at + 1] = green;
      out[at + 2] = blue;
      at += 3;
    }
  }
}

// Samples carry 5 fractional bits when they are converted and coefficients 14, so that products stay within an int32.
const SAMPLE_BITS = 5;
const COEFFICIENT_BITS = 14;
const DOWN = 2 * BITS - SAMPLE_BITS;
const SHIFT = COEFFICIENT_BITS + SAMPLE_BITS;
const ROUND = 1 << (SHIFT - 1);

/** The weights as integers: black in sample bits, luma in coefficient bits, chroma in both. */
function integerWeights(colour: ColourTags): ColourWeights {
  const weights = colourWeights(colour);
  const chroma = (value: number): number => Math.round(value * (1 << SHIFT));
  return {
    black: weights.black << SAMPLE_BITS,
    luma: Math.round(weights.luma * (1 << COEFFICIENT_BITS)),
    redV: chroma(weights.redV),
    greenU: chroma(weights.greenU),
    greenV: chroma(weights.greenV),
    blueU: chroma(weights.blueU),
  };
}
