// YUV of any size -> the network's RGB: lays pictures out in the kernel's memory, band after band.
import { colourWeights } from "../colour.ts";
import type { ColourTags, YuvImage } from "../detection.ts";
import { openSampleKernel } from "./kernel.ts";
import { COEFFICIENT_BITS, COLOUR_BYTES, GROUP, GROUP_BYTES, ROW_BYTES, SAMPLE_BITS, WEIGHT_BITS } from "./layout.ts";
import type { Taps } from "./taps.ts";

/** Taps of a source size, with those of columns as the kernel reads them. */
export interface YuvTaps {
  readonly columns: Int32Array;
  readonly y: Taps;
}

/** Writes a picture of the network's size to `out[at]`. */
export type YuvSampler = (picture: YuvImage, taps: YuvTaps, out: Uint8Array, at: number) => void;

const INT = Int32Array.BYTES_PER_ELEMENT;
const WORD = 8;

// A band of source rows stays in a core's cache between being copied and being read.
const BAND_BYTES = 1 << 18;
// Where a picture is shrunk by more, the rows between those that are needed cost more than a copy for each row.
const MOST_ROWS_BETWEEN = 4;
// Neighbours are read in twos, also where there is one.
const SLACK = 16;

/**
 * Luma is interpolated as RGB would be; chroma, which has a quarter of the samples, is taken from the nearest one. Colour
 * conversion is linear, so converting after interpolating equals the other way round, but for clamping. Memory holds one band
 * of the source and one of the result, whatever the size of the picture.
 */
export function createYuvSampler(width: number, height: number, kernel = openSampleKernel()): YuvSampler {
  const stride = width * 3;
  const columnsEnd = Math.ceil(width / GROUP) * GROUP_BYTES;
  const colours = columnsEnd;
  const rows = colours + COLOUR_BYTES;
  const rgb = rows + height * ROW_BYTES;
  // The last row is written in whole groups too.
  const source = rgb + height * stride + GROUP * 3;
  let bytes = kernel.bytes(source);
  let ints = new Int32Array(bytes.buffer);
  let placed: Int32Array | undefined;
  const makeRoom = (atLeast: number): void => {
    if (atLeast <= bytes.length) return;
    bytes = kernel.bytes(atLeast);
    ints = new Int32Array(bytes.buffer);
  };
  return (picture, { columns, y }, out, at) => {
    if (placed !== columns) ints.set(columns, 0);
    placed = columns;
    ints.set(colourCoefficients(picture.colour), colours / INT);
    const { width: across, data } = picture;
    const chromaAcross = (across + 1) >> 1;
    const uPlane = across * picture.height;
    const vPlane = uPlane + chromaAcross * ((picture.height + 1) >> 1);
    const bandRows = rowsOfBand(picture, height);
    for (let from = 0; from < height; from += bandRows) {
      const to = Math.min(height, from + bandRows);
      const top = y.first[from]! * across;
      const bottom = (y.second[to - 1]! + 1) * across;
      const chromaTop = y.chroma[from]! * chromaAcross;
      const chromaBottom = (y.chroma[to - 1]! + 1) * chromaAcross;
      const luma = likeSource(source, data.byteOffset + top);
      const u = likeSource(luma + bottom - top, data.byteOffset + uPlane + chromaTop);
      const v = likeSource(u + chromaBottom - chromaTop, data.byteOffset + vPlane + chromaTop);
      makeRoom(v + chromaBottom - chromaTop + SLACK);
      bytes.set(data.subarray(top, bottom), luma);
      bytes.set(data.subarray(uPlane + chromaTop, uPlane + chromaBottom), u);
      bytes.set(data.subarray(vPlane + chromaTop, vPlane + chromaBottom), v);
      for (let row = from, i = rows / INT; row < to; row++) {
        const chroma = y.chroma[row]! * chromaAcross - chromaTop;
        ints[i++] = luma + y.first[row]! * across - top;
        ints[i++] = luma + y.second[row]! * across - top;
        ints[i++] = y.weight[row]!;
        ints[i++] = u + chroma;
        ints[i++] = v + chroma;
      }
      kernel.sampleRows(rows, rows + (to - from) * ROW_BYTES, 0, columnsEnd, colours, rgb, stride);
      out.set(bytes.subarray(rgb, rgb + (to - from) * stride), at + from * stride);
    }
  };
}

/** For groups of 8 columns: their first samples of luma, their samples of chroma, their weights in pairs of int16. */
export function kernelColumns({ first, chroma, weight }: Taps): Int32Array {
  const groupInts = GROUP_BYTES / INT;
  const columns = new Int32Array(Math.ceil(first.length / GROUP) * groupInts);
  for (let i = 0; i < first.length; i++) {
    const at = Math.floor(i / GROUP) * groupInts + (i % GROUP);
    columns[at] = first[i]!;
    columns[at + GROUP] = chroma[i]!;
    columns[at + 2 * GROUP] = pair((1 << WEIGHT_BITS) - weight[i]!, weight[i]!);
  }
  return columns;
}

/** The first address from `at` that lies in a word as the source does: else V8 copies shared memory byte by byte. */
function likeSource(at: number, sourceOffset: number): number {
  return at + ((sourceOffset - at) & (WORD - 1));
}

function rowsOfBand(picture: YuvImage, height: number): number {
  const between = picture.height / height;
  if (between > MOST_ROWS_BETWEEN) return 1;
  return Math.max(1, Math.floor(BAND_BYTES / (1.5 * picture.width * between)));
}

/** Luma's coefficient, what is added to it (black, and half a level to round), and what U and V give red, green and blue. */
function colourCoefficients(colour: ColourTags): Int32Array {
  const { black, luma, redV, greenU, greenV, blueU } = colourWeights(colour);
  const integer = (value: number): number => Math.round(value * (1 << COEFFICIENT_BITS));
  const half = 1 << (SAMPLE_BITS + COEFFICIENT_BITS - 1);
  return Int32Array.of(
    integer(luma),
    half - (black << SAMPLE_BITS) * integer(luma),
    pair(0, integer(redV)),
    pair(-integer(greenU), -integer(greenV)),
    pair(integer(blueU), 0),
  );
}

/** Two int16 in an int32, the first in the lower half. */
function pair(first: number, second: number): number {
  return (first & 0xffff) | (second << 16);
}
