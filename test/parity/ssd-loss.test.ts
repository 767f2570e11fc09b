// Matching, mining and the loss against torchvision's, on random heads and truths.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import { matchTruths } from "../../src/training/match.ts";
import { worstDifference } from "../model/support/differences.ts";
import { pythonHas, runPython } from "../support/python.ts";
import {
  goldenOf,
  LOSS_CASES,
  type LossCase,
  ourLoss,
  readLossGoldens,
  writeLossGoldenIfMissing,
} from "../training/support/loss-golden.ts";

interface Theirs {
  readonly box: number;
  readonly class: number;
  readonly given: readonly (readonly number[])[];
}

describe.skipIf(!pythonHas("torchvision.ops"))(
  "the loss against torchvision's SSD.compute_loss (needs Python with torchvision in MULTIBOX_PYTHON)",
  () => {
    test.each(Object.keys(LOSS_CASES))("%s: matches are equal, losses and gradients to 1e-5", async (name) => {
      const folder = await mkdtemp(join(tmpdir(), "multibox-loss-"));
      try {
        const one = LOSS_CASES[name]!();
        await writeCase(folder, one);
        await runPython(join(import.meta.dirname, "ssd_loss.py"), [folder]);
        const theirs = JSON.parse(await readFile(join(folder, "loss.json"), "utf8")) as Theirs;
        const boxes = defaultBoxes(one.spec);
        for (const [i, picture] of one.pictures.entries()) {
          const given = matchTruths(
            picture.map(({ box }) => box),
            boxes,
          );
          expect([...given]).toEqual(theirs.given[i]);
        }
        const ours = ourLoss(one);
        expect(Math.abs(ours.box / theirs.box - 1)).toBeLessThan(1e-5);
        expect(Math.abs(ours.class / theirs.class - 1)).toBeLessThan(1e-5);
        const gradient = { offsets: await readDoubles(folder, "offsets"), logits: await readDoubles(folder, "logits") };
        expect(worstDifference(ours.gradient.offsets, gradient.offsets)).toBeLessThan(1e-5);
        expect(worstDifference(ours.gradient.logits, gradient.logits)).toBeLessThan(1e-5);
        writeLossGoldenIfMissing(name, goldenOf(theirs, gradient));
        const kept = readLossGoldens()[name]!;
        expect(Math.abs(kept.box / theirs.box - 1)).toBeLessThan(1e-7);
        expect(Math.abs(kept.class / theirs.class - 1)).toBeLessThan(1e-7);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);

async function writeCase(folder: string, { spec, boxes, pictures, heads }: LossCase): Promise<void> {
  const side = spec.input.width;
  const inPixels = pictures.map((picture) => ({
    boxes: picture.map(({ box: [cx, cy, width, height] }) =>
      [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2].map((share) => share * side),
    ),
    labels: picture.map(({ label }) => label),
  }));
  await writeFile(join(folder, "case.json"), JSON.stringify({ pictures: inPixels }));
  await writeFile(
    join(folder, "boxes.f32"),
    boxes.map((share) => share * side),
  );
  await writeFile(join(folder, "offsets.f32"), heads.offsets);
  await writeFile(join(folder, "logits.f32"), heads.logits);
}

async function readDoubles(folder: string, name: string): Promise<Float64Array> {
  const bytes = await readFile(join(folder, `${name}.grad.f64`));
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
