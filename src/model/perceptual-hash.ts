// A short fingerprint of a picture that small changes leave nearly as it is: pictures whose hashes differ in few bits look alike.
import type { Picture } from "./detection.ts";

const COLUMNS = 9;
const ROWS = 8;
/** Pixels read along each side of a cell: enough for its mean, and a hash costs the same whatever the picture's size. */
const SAMPLES = 8;

/**
 * The difference hash: the picture's brightness averaged over 9 x 8 cells, a bit for each pair of neighbours in a row, set where the
 * right one is brighter. 64 bits as 16 hexadecimal digits. Source: N. Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013.
 */
export function perceptualHash(picture: Picture): string {
  const cells = brightness(picture);
  let hash = 0n;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS - 1; column++) {
      const at = row * COLUMNS + column;
      hash = (hash << 1n) | (cells[at + 1]! > cells[at]! ? 1n : 0n);
    }
  }
  return hash.toString(16).padStart(16, "0");
}

/** How many of the 64 bits differ: 0 for the same picture, around 32 for two that have nothing in common. */
export function hashDistance(a: string, b: string): number {
  let different = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; different > 0n; different &= different - 1n) bits += 1;
  return bits;
}

function brightness({ format, width, height, data }: Picture): Float64Array {
  const cells = new Float64Array(COLUMNS * ROWS);
  for (let y = 0; y < ROWS * SAMPLES; y++) {
    const line = Math.floor(((y + 0.5) * height) / (ROWS * SAMPLES));
    for (let x = 0; x < COLUMNS * SAMPLES; x++) {
      const at = line * width + Math.floor(((x + 0.5) * width) / (COLUMNS * SAMPLES));
      const cell = Math.floor(y / SAMPLES) * COLUMNS + Math.floor(x / SAMPLES);
      // Rec. 601 luma; only the order of the sums matters.
      cells[cell]! +=
        format === "yuv420p"
          ? data[at]!
          : 0.299 * data[at * 3]! + 0.587 * data[at * 3 + 1]! + 0.114 * data[at * 3 + 2]!;
    }
  }
  return cells;
}
