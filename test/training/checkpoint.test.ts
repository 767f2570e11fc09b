// Checkpoints: what is read is what was written, and a disk that is full leaves the one from before.
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../../src/training/checkpoint.ts";
import { tinyDisk } from "../model/support/tiny-disk.ts";

const disk = tinyDisk();
afterAll(() => disk?.unmount());

const identity = { data: "d", parent: "p", settings: { lr: 0.1 } };

function checkpointAt(step: number): Checkpoint {
  const weights = new Map([["head.weight", { shape: [2, 50_000], data: new Float32Array(100_000).fill(step) }]]);
  const state = { epoch: 0, step, boxLoss: 1.5, classLoss: 2.5, seconds: 3, history: [] };
  return { state, tensors: { weights, velocities: weights, best: weights } };
}

test.skipIf(!disk)(
  "a full disk is said as such, and the checkpoint from before is still there (needs mount)",
  async () => {
    const path = join(disk!.path, "checkpoint.safetensors");
    // Of three times 400 KB only one is kept.
    const small = checkpointAt(1);
    const only = { ...small, tensors: { weights: small.tensors.weights, velocities: new Map() } };
    await writeCheckpoint(path, identity, only);
    await expect(writeCheckpoint(path, identity, checkpointAt(2))).rejects.toMatchObject({
      code: "DISK_FULL",
      message: `There is no space left for ${path}.`,
      hint: "Make room, then go on from the checkpoint before with --resume.",
    });
    const { bavail, bsize } = await statfs(disk!.path);
    expect(bavail * bsize).toBeGreaterThan(500_000);
    const found = await readCheckpoint(path);
    expect(found!.state).toEqual(only.state);
    expect(found!.tensors.weights).toEqual(only.tensors.weights);
    expect(found!.tensors.best).toBeUndefined();
    await rm(path);
    expect(await readCheckpoint(path)).toBeUndefined();
    await writeFile(path, "not a checkpoint");
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: "CHECKPOINT_UNREADABLE" });
  },
);
