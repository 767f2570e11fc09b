// `multibox train`, killed in the midst and gone on with: the weights are those of a run that nobody disturbed, to the byte.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeBundle } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { launch, runMultibox } from "../support/multibox.ts";
import { writeShapes } from "../training/support/drawn-shapes.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-train-kill-"));
  await writeShapes(join(root, "data"), { pictures: 24, seed: 1, side: 96 });
  const spec = smallSpec();
  const provenance = { source: "random numbers", licence: "none" };
  await writeBundle(join(root, "parent"), spec, randomWeights(buildSsd(spec), 1), provenance);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each([
  ["heads on features", []],
  ["the whole network", ["--freeze", "none"]],
])("%s", (name, flags) => {
  test("killed three times and gone on with, it comes to the weights of an undisturbed run", async () => {
    const [whole, killed] = [join(root, `${name} whole`), join(root, `${name} killed`)];
    const words = `train --data ${root}/data --from ${root}/parent --epochs 5 --batch 4 --threads 1 --checkpoint-every 0 --json`;
    const argsFor = (out: string): string[] => [...words.split(" "), "--out", out, ...flags];
    expect(await runMultibox(argsFor(whole))).toMatchObject({ code: 0 });
    // In the midst of the first epoch, at the end of one, and in the midst of the last.
    for (const step of [3, 10, 17]) {
      const { child, output, exit } = launch([...argsFor(killed), "--resume"]);
      child.stdout!.on("data", () => {
        if (output.stdout.includes(`"step":${step},`)) child.kill("SIGKILL");
      });
      expect(await exit).toMatchObject({ signal: "SIGKILL" });
    }
    const last = await runMultibox([...argsFor(killed), "--resume"]);
    expect(last).toMatchObject({ code: 0 });
    const start = last.stdout.split("\n").find((line) => line.includes('"type":"start"'))!;
    expect((JSON.parse(start) as { resumed: number }).resumed).toBeGreaterThanOrEqual(16);
    const weights = (out: string): Promise<Buffer> => readFile(join(out, "weights.safetensors"));
    expect((await weights(killed)).equals(await weights(whole))).toBe(true);
  });
});
