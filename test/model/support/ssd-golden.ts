// Golden values of SSD300 and SSD512: what other implementations say of drawn pictures, with weights that are made anew.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RgbImage } from "../../../src/model/detection.ts";
import type { RawHeads } from "../../../src/model/engines/engine.ts";
import { boxCount } from "../../../src/model/default-boxes.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { worstDifference } from "./differences.ts";
import type { Row } from "./matching.ts";
import { drawPicture } from "./pictures.ts";

/** Of one picture: some offsets and logits, and all detections, flat as rows are. */
export interface GoldenPicture {
  readonly offsets: readonly number[];
  readonly logits: readonly number[];
  readonly detections: readonly number[];
}

/** The pictures that the golden values belong to, of the network's own size. */
export function goldenPictures({ input }: SsdSpec): RgbImage[] {
  return [1, 2].map((seed) => drawPicture(input.width, input.height, seed));
}

/** The same numbers out of an answer for one picture: about seventy boxes, and about ten classes of each. */
export function goldenHeads(spec: SsdSpec, { offsets, logits }: RawHeads): Omit<GoldenPicture, "detections"> {
  const boxes = boxCount(spec);
  const classes = spec.labels.length;
  const every = (count: number, step: number): number[] =>
    Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  const rows = every(boxes, Math.floor(boxes / 67));
  const columns = every(classes, Math.ceil(classes / 10));
  return {
    offsets: rows.flatMap((row) => [...offsets.subarray(row * 4, row * 4 + 4)]),
    logits: rows.flatMap((row) => columns.map((column) => logits[row * classes + column]!)),
  };
}

export function goldenRows({ detections }: GoldenPicture): Row[] {
  return Array.from({ length: detections.length / 6 }, (_, i) => detections.slice(i * 6, i * 6 + 6) as unknown as Row);
}

export async function readGolden(name: string): Promise<GoldenPicture[]> {
  return (JSON.parse(await readFile(fileOf(name), "utf8")) as { pictures: GoldenPicture[] }).pictures;
}

/** What another implementation says of one golden picture. */
interface Answer {
  readonly heads: RawHeads;
  readonly detections: readonly Row[];
}

/** How far the golden values are from another implementation's, at worst. Written first where the file is not there. */
export async function goldenDistance(
  name: string,
  spec: SsdSpec,
  answers: readonly Answer[],
): Promise<{ offsets: number; logits: number; detections: number }> {
  await writeGoldenIfMissing(name, spec, answers);
  const golden = await readGolden(name);
  const heads = answers.map((answer) => goldenHeads(spec, answer.heads));
  const worst = (distance: (i: number) => number): number => Math.max(...answers.map((_, i) => distance(i)));
  return {
    offsets: worst((i) => worstDifference(golden[i]!.offsets, heads[i]!.offsets)),
    logits: worst((i) => worstDifference(golden[i]!.logits, heads[i]!.logits)),
    detections: worst((i) => worstDifference(goldenRows(golden[i]!).flat(), answers[i]!.detections.flat())),
  };
}

/** As snapshots are: written when the file is not there, so remove it to make it anew, and format it. */
async function writeGoldenIfMissing(name: string, spec: SsdSpec, answers: readonly Answer[]): Promise<void> {
  if (existsSync(fileOf(name))) return;
  const rounded = (values: readonly number[]): number[] => values.map((value) => Number(value.toFixed(5)));
  const pictures = answers.map(({ heads, detections }) => {
    const { offsets, logits } = goldenHeads(spec, heads);
    return { offsets: rounded(offsets), logits: rounded(logits), detections: rounded(detections.flat()) };
  });
  await writeFile(fileOf(name), `${JSON.stringify({ pictures })}\n`);
}

const fileOf = (name: string): string => join(import.meta.dirname, `../../fixtures/${name}.golden.json`);
