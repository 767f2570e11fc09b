// The inner loop of sampling, in AssemblyScript: rows of luma and chroma that lie in memory -> rows of RGB, 8 pixels at a time.
// `npm run build:kernels` compiles it to WebAssembly; what lies where is laid out in ../sample/yuv.ts.
import { COEFFICIENT_BITS, GROUP, GROUP_BYTES, ROW_BYTES, SAMPLE_BITS, WEIGHT_BITS } from "../sample/layout.ts";

/**
 * Samples rows. All arguments but `stride` are addresses.
 *
 * `rows` to `rowsEnd`: 5 int32 a row: addresses of the luma above and below, the weight of the lower one, addresses of U and V.
 * `columns` to `columnsEnd`: 24 int32 for 8 columns: where in a row the left one of two samples of luma is; where the sample of
 * chroma is; the weights of left and right as two int16.
 * `colours`: 5 int32: the coefficient of luma, what is added to it, and those of U and V for red, green, blue as two int16.
 * `out`: where the first row goes, `stride` bytes a row. Each row is written in whole groups of 8, past its end into the next.
 */
export function sampleRows(
  rows: usize,
  rowsEnd: usize,
  columns: usize,
  columnsEnd: usize,
  colours: usize,
  out: usize,
  stride: usize,
): void {
  const luma = v128.load32_splat(colours, 0);
  const offset = v128.load32_splat(colours, 4);
  const red = v128.load32_splat(colours, 8);
  const green = v128.load32_splat(colours, 12);
  const blue = v128.load32_splat(colours, 16);
  for (; rows < rowsEnd; rows += ROW_BYTES, out += stride) {
    const above = load<usize>(rows, 0);
    const below = load<usize>(rows, 4);
    const lower = v128.load32_splat(rows, 8);
    const upper = i32x4.sub(i32x4.splat(1 << WEIGHT_BITS), lower);
    const u = load<usize>(rows, 12);
    const v = load<usize>(rows, 16);
    for (let at = columns, to = out; at < columnsEnd; at += GROUP_BYTES, to += 3 * GROUP) {
      const tops = pairs(above, at);
      const bottoms = pairs(below, at);
      const leftWeights = v128.load(at, 64);
      const rightWeights = v128.load(at, 80);
      const lumas0 = i32x4.add(
        blend(i16x8.extend_low_i8x16_u(tops), leftWeights, upper),
        blend(i16x8.extend_low_i8x16_u(bottoms), leftWeights, lower),
      );
      const lumas1 = i32x4.add(
        blend(i16x8.extend_high_i8x16_u(tops), rightWeights, upper),
        blend(i16x8.extend_high_i8x16_u(bottoms), rightWeights, lower),
      );
      const base0 = brightness(lumas0, luma, offset);
      const base1 = brightness(lumas1, luma, offset);
      // 128 is no colour: flipping the highest bit makes it 0 of a signed byte.
      const chroma = v128.xor(interleave(singles(u, at), singles(v, at)), i8x16.splat(-128));
      const chroma0 = i16x8.shl(i16x8.extend_low_i8x16_s(chroma), SAMPLE_BITS);
      const chroma1 = i16x8.shl(i16x8.extend_high_i8x16_s(chroma), SAMPLE_BITS);
      const reds = levels(base0, base1, chroma0, chroma1, red);
      const greens = levels(base0, base1, chroma0, chroma1, green);
      const blues = levels(base0, base1, chroma0, chroma1, blue);
      const redGreen = i8x16.narrow_i16x8_u(reds, greens);
      const blueBlue = i8x16.narrow_i16x8_u(blues, blues);
      v128.store(to, i8x16.shuffle(redGreen, blueBlue, 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5));
      const rest = i8x16.shuffle(redGreen, blueBlue, 13, 21, 6, 14, 22, 7, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store64_lane(to, rest, 0, 16);
    }
  }
}

/** 8 pairs of neighbours of luma. */
function pairs(row: usize, at: usize): v128 {
  let taken = v128.load16_lane(row + load<usize>(at, 0), i16x8.splat(0), 0);
  taken = v128.load16_lane(row + load<usize>(at, 4), taken, 1);
  taken = v128.load16_lane(row + load<usize>(at, 8), taken, 2);
  taken = v128.load16_lane(row + load<usize>(at, 12), taken, 3);
  taken = v128.load16_lane(row + load<usize>(at, 16), taken, 4);
  taken = v128.load16_lane(row + load<usize>(at, 20), taken, 5);
  taken = v128.load16_lane(row + load<usize>(at, 24), taken, 6);
  return v128.load16_lane(row + load<usize>(at, 28), taken, 7);
}

/** 8 samples of U or V in the lower half. */
function singles(row: usize, at: usize): v128 {
  let taken = v128.load8_lane(row + load<usize>(at, 32), i8x16.splat(0), 0);
  taken = v128.load8_lane(row + load<usize>(at, 36), taken, 1);
  taken = v128.load8_lane(row + load<usize>(at, 40), taken, 2);
  taken = v128.load8_lane(row + load<usize>(at, 44), taken, 3);
  taken = v128.load8_lane(row + load<usize>(at, 48), taken, 4);
  taken = v128.load8_lane(row + load<usize>(at, 52), taken, 5);
  taken = v128.load8_lane(row + load<usize>(at, 56), taken, 6);
  return v128.load8_lane(row + load<usize>(at, 60), taken, 7);
}

function interleave(u: v128, v: v128): v128 {
  return i8x16.shuffle(u, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Left and right by their weights, then the row by its own: a share of a sample, in twice WEIGHT_BITS. */
function blend(neighbours: v128, weights: v128, share: v128): v128 {
  return i32x4.mul(i32x4.dot_i16x8_s(neighbours, weights), share);
}

/** What luma gives to each channel. A sample fits an int16, so that the product of pairs is that of the lower halves. */
function brightness(sums: v128, luma: v128, offset: v128): v128 {
  const samples = i32x4.shr_u(sums, 2 * WEIGHT_BITS - SAMPLE_BITS);
  return i32x4.add(i32x4.dot_i16x8_s(samples, luma), offset);
}

/** 8 levels of one channel as int16; packing them to bytes clamps them. */
function levels(base0: v128, base1: v128, chroma0: v128, chroma1: v128, coefficients: v128): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.shr_s(i32x4.add(base0, i32x4.dot_i16x8_s(chroma0, coefficients)), SAMPLE_BITS + COEFFICIENT_BITS),
    i32x4.shr_s(i32x4.add(base1, i32x4.dot_i16x8_s(chroma1, coefficients)), SAMPLE_BITS + COEFFICIENT_BITS),
  );
}
