// A picture of any size, YUV or RGB -> the network's RGB, sampled as the model was trained.
import { type Picture, pictureBytes } from "./detection.ts";
import { sampleRgb } from "./sample/rgb.ts";
import { sampleTaps, type Taps } from "./sample/taps.ts";
import { createYuvSampler, kernelColumns, type YuvTaps } from "./sample/yuv.ts";
import type { SsdSpec } from "./spec.ts";

/** Writes a picture as interleaved RGB of the network's input size, `width * height * 3` bytes, at `out[at]`. */
export type Sampler = (picture: Picture, out: Uint8Array, at: number) => void;

// One stream has one size; sizes that single pictures bring must not pile up.
const MOST_SIZES = 64;

/**
 * Builds the sampling of a spec: plain bilinear, two by two source pixels for each output pixel, without the low-pass filter
 * that `ffmpeg -vf scale` and most resizers add, because SSDs are trained without it. Taps are computed once a source size.
 * A sampler has memory of its own and belongs to one thread. Fails with KERNEL_UNAVAILABLE.
 */
export function createSampler({ width, height, resize }: SsdSpec["input"]): Sampler {
  const cache = new Map<string, YuvTaps & { readonly x: Taps }>();
  const sampleYuv = createYuvSampler(width, height);
  const tapsOf = (picture: Picture): YuvTaps & { readonly x: Taps } => {
    const key = `${picture.width}x${picture.height}`;
    const known = cache.get(key);
    if (known) return known;
    const x = sampleTaps(picture.width, width, resize);
    const made = { x, y: sampleTaps(picture.height, height, resize), columns: kernelColumns(x) };
    if (cache.size >= MOST_SIZES) cache.clear();
    cache.set(key, made);
    return made;
  };
  return (picture, out, at) => {
    const wanted = pictureBytes(picture.format, picture.width, picture.height);
    // What is missing would be filled from the picture before, which may be another camera's.
    if (picture.data.length < wanted) throw new RangeError(`A picture of ${wanted} bytes has ${picture.data.length}.`);
    const taps = tapsOf(picture);
    if (picture.format === "rgb24") sampleRgb(picture, taps.x, taps.y, out, at);
    else sampleYuv(picture, taps, out, at);
  };
}
