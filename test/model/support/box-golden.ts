// Golden values of tilings: what other implementations say of default boxes, by the spec's name, in test/fixtures.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SsdSpec } from "../../../src/model/spec.ts";

const FILE = join(import.meta.dirname, "../../fixtures/ssd-default-boxes.golden.json");

/** Of a tiling: how many boxes, some of them whole, and for each map the sums of cx, cy, width and height over its boxes. */
export interface BoxGolden {
  readonly count: number;
  readonly sampled: readonly number[];
  readonly sums: readonly number[];
}

/** The same numbers of a spec's boxes, `[cx, cy, width, height]` each; about 140 boxes are kept. */
export function boxGolden({ maps }: SsdSpec, boxes: Float32Array): BoxGolden {
  const count = boxes.length / 4;
  // Primes, so that every box of a cell comes up.
  const step = count < 10_000 ? 61 : 173;
  const rows = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  const sums: number[] = [];
  let at = 0;
  for (const { cells, boxes: shapes } of maps) {
    const end = at + cells * cells * shapes.length * 4;
    const sum = [0, 0, 0, 0];
    for (; at < end; at++) sum[at % 4]! += boxes[at]!;
    sums.push(...sum);
  }
  return { count, sampled: rows.flatMap((row) => [...boxes.subarray(row * 4, row * 4 + 4)]), sums };
}

export function readBoxGoldens(): Record<string, BoxGolden> {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Record<string, BoxGolden>) : {};
}

/** As snapshots are: written when the file has none of this name, so remove it there to make it anew, and format the file. */
export function writeBoxGoldenIfMissing(name: string, golden: BoxGolden): void {
  const goldens = readBoxGoldens();
  if (goldens[name]) return;
  const rounded = (values: readonly number[], digits: number): number[] => values.map((x) => Number(x.toFixed(digits)));
  const { count, sampled, sums } = golden;
  goldens[name] = { count, sampled: rounded(sampled, 8), sums: rounded(sums, 6) };
  writeFileSync(FILE, `${JSON.stringify(goldens)}\n`);
}
