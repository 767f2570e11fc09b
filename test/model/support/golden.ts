// Golden values: a few of the numbers that the released graph gives for one drawn picture, kept in test/fixtures.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RgbImage } from "../../../src/model/detection.ts";
import type { RawHeads } from "../../../src/model/engines/engine.ts";
import { drawPicture } from "./pictures.ts";

const FILE = join(import.meta.dirname, "../../fixtures/ssdlite-mobilenet-v2.golden.json");
const BOXES = 1917;
const CLASSES = 91;

/** Four offsets and ten logits of every 80th box. */
export interface Golden {
  readonly offsets: readonly number[];
  readonly logits: readonly number[];
}

/** The picture that the golden values belong to, of the network's own size. */
export const goldenPicture = (): RgbImage => drawPicture(300, 300, 1);

/** The same numbers out of an engine's answer for one picture. */
export function goldenOf({ offsets, logits }: RawHeads): Golden {
  const rows = Array.from({ length: Math.ceil(BOXES / 80) }, (_, i) => i * 80);
  return {
    offsets: rows.flatMap((row) => [...offsets.subarray(row * 4, row * 4 + 4)]),
    logits: rows.flatMap((row) => Array.from({ length: 10 }, (_, i) => logits[row * CLASSES + i * 10]!)),
  };
}

export async function readGolden(): Promise<Golden> {
  return JSON.parse(await readFile(FILE, "utf8")) as Golden;
}

/** As snapshots are: written when the file is not there, so remove it to make it anew. */
export async function writeGoldenIfMissing(heads: RawHeads): Promise<void> {
  if (existsSync(FILE)) return;
  const rounded = (values: readonly number[]): number[] => values.map((value) => Number(value.toFixed(6)));
  const { offsets, logits } = goldenOf(heads);
  await writeFile(FILE, `${JSON.stringify({ offsets: rounded(offsets), logits: rounded(logits) }, null, 2)}\n`);
}
