// YUV sampled in plain floats, a pixel at a time: what the kernel is compared with, for its levels and for its time.
import { colourWeights } from "../../src/model/colour.ts";
import type { YuvImage } from "../../src/model/detection.ts";
import { WEIGHT_BITS } from "../../src/model/sample/layout.ts";
import type { Taps } from "../../src/model/sample/taps.ts";

const ONE = 1 << WEIGHT_BITS;

/** Writes levels of 0..255, which are rounded only where `out` holds integers. Taps are tested with RGB, and given here. */
export function plainSample(
  { width, height, data, colour }: YuvImage,
  x: Taps,
  y: Taps,
  out: Float64Array | Uint8ClampedArray,
): void {
  const { black, luma, redV, greenU, greenV, blueU } = colourWeights(colour);
  const chromaWidth = (width + 1) >> 1;
  const uPlane = width * height;
  const vPlane = uPlane + chromaWidth * ((height + 1) >> 1);
  for (let row = 0, at = 0; row < y.first.length; row++) {
    const top = y.first[row]! * width;
    const bottom = y.second[row]! * width;
    const lower = y.weight[row]! / ONE;
    const chromaRow = y.chroma[row]! * chromaWidth;
    for (let column = 0; column < x.first.length; column++, at += 3) {
      const left = x.first[column]!;
      const right = x.second[column]!;
      const share = x.weight[column]! / ONE;
      const above = data[top + left]! * (1 - share) + data[top + right]! * share;
      const below = data[bottom + left]! * (1 - share) + data[bottom + right]! * share;
      const l = (above * (1 - lower) + below * lower - black) * luma;
      const u = data[uPlane + chromaRow + x.chroma[column]!]! - 128;
      const v = data[vPlane + chromaRow + x.chroma[column]!]! - 128;
      out[at] = level(l + redV * v);
      out[at + 1] = level(l - greenU * u - greenV * v);
      out[at + 2] = level(l + blueU * u);
    }
  }
}

function level(value: number): number {
  return Math.min(255, Math.max(0, value));
}
