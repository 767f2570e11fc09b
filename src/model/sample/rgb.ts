// RGB of any size -> the network's RGB. Single pictures have it, not streams, so that plain JavaScript is fast enough.
import type { RgbImage } from "../detection.ts";
import { WEIGHT_BITS } from "./layout.ts";
import type { Taps } from "./taps.ts";

const ONE = 1 << WEIGHT_BITS;
const HALF = 1 << (2 * WEIGHT_BITS - 1);

/** Writes a picture of as many pixels as there are taps to `out[at]`. */
export function sampleRgb(picture: RgbImage, x: Taps, y: Taps, out: Uint8Array, at: number): void {
  const stride = picture.width * 3;
  const samples = x.first.length * 3;
  const top = new Int32Array(samples);
  const bottom = new Int32Array(samples);
  for (let row = 0, to = at; row < y.first.length; row++) {
    resizeRow(picture.data, y.first[row]! * stride, x, top);
    resizeRow(picture.data, y.second[row]! * stride, x, bottom);
    const weight = y.weight[row]!;
    for (let i = 0; i < samples; i++) {
      out[to++] = (top[i]! * ONE + (bottom[i]! - top[i]!) * weight + HALF) >> (2 * WEIGHT_BITS);
    }
  }
}

function resizeRow(data: Uint8Array, from: number, { first, second, weight }: Taps, out: Int32Array): void {
  for (let i = 0, at = 0; i < first.length; i++) {
    const left = from + first[i]! * 3;
    const right = from + second[i]! * 3;
    const share = weight[i]!;
    out[at++] = data[left]! * ONE + (data[right]! - data[left]!) * share;
    out[at++] = data[left + 1]! * ONE + (data[right + 1]! - data[left + 1]!) * share;
    out[at++] = data[left + 2]! * ONE + (data[right + 2]! - data[left + 2]!) * share;
  }
}
