// Where each pixel of the network's picture lies in a source: which two samples it is made of, and their shares.
import { WEIGHT_BITS } from "./layout.ts";
import type { SsdSpec } from "../spec.ts";

/** Where each output coordinate falls between two source coordinates: `first`, `second`, and the weight of the second. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Of 2 ** WEIGHT_BITS. */
  readonly weight: Int32Array;
  /** Of the two, the nearer one's chroma sample. */
  readonly chroma: Int32Array;
}

/** Source coordinates as TensorFlow 1 (`asymmetric`: i * in / out) or Caffe and torchvision (`half-pixel`) compute them. */
export function sampleTaps(from: number, to: number, resize: SsdSpec["input"]["resize"]): Taps {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Int32Array(to);
  const chroma = new Int32Array(to);
  // TensorFlow computes in 32-bit floats, and an upper neighbour that is one off would show where edges are hard.
  const scale = Math.fround(from / to);
  const one = 1 << WEIGHT_BITS;
  for (let i = 0; i < to; i++) {
    const at = resize === "asymmetric" ? Math.fround(i * scale) : Math.max(0, (i + 0.5) * scale - 0.5);
    // The last pixel is the second of the last pair, so that two neighbours can always be read as one.
    first[i] = Math.min(Math.floor(at), Math.max(0, from - 2));
    second[i] = Math.min(first[i]! + 1, from - 1);
    weight[i] = from === 1 ? 0 : Math.round(Math.min(1, at - first[i]!) * one);
    chroma[i] = (weight[i]! > one / 2 ? second[i]! : first[i]!) >> 1;
  }
  return { first, second, weight, chroma };
}
