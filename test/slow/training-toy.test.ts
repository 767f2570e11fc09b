// A tiny SSD that nobody has trained learns drawn shapes, judged on pictures that it has not seen; twice, to the same bits.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { weightsHash } from "../../src/training/checkpoint.ts";
import { openDataset } from "../../src/training/dataset.ts";
import type { TrainResult } from "../../src/training/train.ts";
import { writeShapes } from "../training/support/drawn-shapes.ts";
import { runTraining } from "../training/support/run-training.ts";

test("shapes are learnt from nothing to an AP50 of more than 0.9, twice to the same bits", async () => {
  const root = await mkdtemp(join(tmpdir(), "multibox-toy-"));
  try {
    const [data, unseen] = [join(root, "data"), join(root, "unseen")];
    await writeShapes(data, { pictures: 160, seed: 1, side: 64 });
    await writeShapes(unseen, { pictures: 40, seed: 2, side: 64 });
    const given = { data: await openDataset({ folder: data }), validation: await openDataset({ folder: unseen }) };
    const settings = { freeze: "none", epochs: 30, batch: 16, lr: 0.01, threads: 2, ema: 0.9 };
    const run = (name: string): Promise<TrainResult> =>
      runTraining({ data, given, folder: join(root, name), settings });
    const first = await run("first");
    const minutes = first.history.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
    console.log(`AP50 ${first.facts.metrics["AP50"]!.toFixed(3)} after ${minutes.toFixed(1)} minutes of steps`);
    expect(first.facts.parentMetrics["AP50"]).toBeLessThan(0.1);
    expect(first.facts.metrics["AP50"]).toBeGreaterThan(0.9);
    expect(weightsHash((await run("second")).bundle)).toBe(weightsHash(first.bundle));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
