// Random heads and truths, and what torchvision's loss said of them, kept in test/fixtures.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CentreBox } from "../../../src/model/box-coder.ts";
import { defaultBoxes } from "../../../src/model/default-boxes.ts";
import { random } from "../../../src/model/random.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SPECS } from "../../../src/model/specs.ts";
import { type Heads, PAPER_LOSS, ssdLoss } from "../../../src/training/loss.ts";
import { Matcher, type Target } from "../../../src/training/match.ts";
import { smallSpec } from "../../model/support/small-spec.ts";

const FILE = join(import.meta.dirname, "../../fixtures/ssd-loss.golden.json");

export interface LossCase {
  readonly spec: SsdSpec;
  readonly boxes: Float32Array;
  readonly pictures: readonly (readonly Target[])[];
  readonly heads: Heads<Float32Array>;
}

/** The losses, some of the gradient's numbers, and the sums of their sizes. */
export interface LossGolden {
  readonly box: number;
  readonly class: number;
  readonly sampled: readonly number[];
  readonly sizes: readonly [offsets: number, logits: number];
}

export const LOSS_CASES: Readonly<Record<string, () => LossCase>> = {
  "204 boxes, 7 classes": () => lossCase(smallSpec({ scores: "softmax" }), 4, 1),
  "8732 boxes, 21 classes": () =>
    lossCase(
      SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!,
      3,
      2,
    ),
};

function lossCase(spec: SsdSpec, count: number, seed: number): LossCase {
  const next = random(seed);
  const boxes = defaultBoxes(spec);
  const classes = spec.labels.length;
  const draw = (size: number, reach: number): Float32Array =>
    Float32Array.from({ length: size }, () => (next() * 2 - 1) * reach);
  const pictures = Array.from({ length: count }, () => Array.from({ length: 1 + Math.floor(next() * 6) }, target));
  const total = (count * boxes.length) / 4;
  return { spec, boxes, pictures, heads: { offsets: draw(total * 4, 3), logits: draw(total * classes, 4) } };

  function target(): Target {
    const [width, height] = [0.05 + next() * 0.5, 0.05 + next() * 0.5];
    const box: CentreBox = [width / 2 + next() * (1 - width), height / 2 + next() * (1 - height), width, height];
    return { box, label: 1 + Math.floor(next() * (classes - 1)) };
  }
}

/** What our loss says of a case. */
export function ourLoss({ spec, boxes, pictures, heads }: LossCase): LossGolden & { readonly gradient: Heads } {
  const matcher = new Matcher(boxes, spec.variances);
  const gradient = { offsets: new Float64Array(heads.offsets.length), logits: new Float64Array(heads.logits.length) };
  const targets = pictures.map((picture) => matcher.targetsOf(picture));
  const loss = ssdLoss(heads, targets, gradient, { ...PAPER_LOSS, scores: "softmax" });
  return { ...goldenOf(loss, gradient), gradient };
}

export function goldenOf(loss: Pick<LossGolden, "box" | "class">, { offsets, logits }: Heads): LossGolden {
  const sizes = [offsets, logits].map((values) => [...values].reduce((sum, value) => sum + Math.abs(value), 0));
  const sampled = [offsets, logits].flatMap((values) => {
    // Most are 0; of the others about thirty.
    const all = [...values].filter((value) => value !== 0);
    return all.filter((_, i) => i % Math.ceil(all.length / 30) === 0);
  });
  return { box: loss.box, class: loss.class, sampled, sizes: sizes as [number, number] };
}

export function readLossGoldens(): Record<string, LossGolden> {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Record<string, LossGolden>) : {};
}

/** As snapshots are: written when the file has none of this name, so remove it there to make it anew, and format the file. */
export function writeLossGoldenIfMissing(name: string, golden: LossGolden): void {
  const goldens = readLossGoldens();
  if (goldens[name]) return;
  const digits = (_: string, value: unknown): unknown => (typeof value === "number" ? +value.toPrecision(9) : value);
  goldens[name] = JSON.parse(JSON.stringify(golden, digits)) as LossGolden;
  writeFileSync(FILE, `${JSON.stringify(goldens)}\n`);
}
