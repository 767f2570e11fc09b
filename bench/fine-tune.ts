// What does a fine-tune bring, and what does it take? The default model on PASCAL VOC, on merged labels of COCO, and on labels that it does not
// know, judged before and after.
import { spawn } from "node:child_process";

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { TrainProgress } from "../src/training/train-events.ts";
import { writeGrouped } from "./grouped-coco.ts";
import { DATA, printMachine } from "./harness.ts";

const { values: chosen, positionals: flags } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: "string", default: "voc,coco,groups" },
    seeds: { type: "string", default: "1,2,3" },
    keep: { type: "string" },
  },
});

/** COCO's supercategories of these names. */
const MERGED = {
  vehicle: "bicycle,car,motorcycle,airplane,bus,train,truck,boat",
  animal: "bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe",
  food: "banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake",
  furniture: "chair,couch,potted plant,bed,dining table,toilet",
};

const TASKS: Readonly<Record<string, readonly string[]>> = {
  voc: ["--data", join(DATA, "voc2012")],
  coco: [
    "--data",
    join(DATA, "coco/train"),
    "--labels",
    "person,vehicle,animal,food,furniture",
    ...Object.entries(MERGED).flatMap(([name, olds]) => ["--merge", `${name}=${olds}`]),
  ],
};

interface Outcome {
  readonly metrics: Record<string, number>;
  readonly parentMetrics: Record<string, number>;
  readonly labels: readonly { readonly name: string; readonly parentAP: number; readonly AP: number }[];
  readonly bestEpoch: number;
  readonly peakMegabytes: number;
  readonly cpuSeconds: number;
}

printMachine();
const scratch = await mkdtemp(join(tmpdir(), "multibox-fine-tune-"));
console.log(
  "| task | seed | AP before | best epoch | last | AP50 before | best epoch | which | minutes | of two cores | peak MB | labels |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|---|---|");
try {
  for (const task of chosen.tasks.split(",")) {
    const given = await argumentsOf(task);
    for (const seed of chosen.seeds.split(",")) console.log(await measure(task, given, seed));
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function argumentsOf(task: string): Promise<readonly string[]> {
  if (task !== "groups") return TASKS[task]!;
  const folder = join(scratch, task);
  await writeGrouped([join(DATA, "coco/train"), join(DATA, "coco/val")], folder);
  return ["--data", folder];
}

async function measure(task: string, given: readonly string[], seed: string): Promise<string> {
  const out = join(chosen.keep ?? scratch, `${task}-${seed}`);
  const start = performance.now();
  const run = ["train", ...given, "--validation-share", "0.3", "--seed", seed, "--out", out, "--force", "--json"];
  const outcome = await runTraining([...run, ...flags]);
  const { metrics, parentMetrics, labels, bestEpoch, peakMegabytes, cpuSeconds, last } = outcome;
  const minutes = (performance.now() - start) / 60_000;
  // What it would have taken alone, were both cores always at work.
  const alone = cpuSeconds / 60 / 2;
  const percent = (value: number | undefined): string => ((value ?? 0) * 100).toFixed(1);
  const figures = [parentMetrics["AP"], metrics["AP"], last, parentMetrics["AP50"], metrics["AP50"]].map(percent);
  const each =
    labels.length > 5 ? [] : labels.map((one) => `${one.name} ${percent(one.parentAP)} to ${percent(one.AP)}`);
  const cost = [minutes.toFixed(1), alone.toFixed(1), peakMegabytes];
  return `| ${[task, seed, ...figures, bestEpoch, ...cost, each.join(", ")].join(" | ")} |`;
}

/** And the AP of the last epoch, which nobody chose. */
async function runTraining(args: readonly string[]): Promise<Outcome & { last: number | undefined }> {
  const child = spawn(process.execPath, ["dist/cli.js", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let outcome: Outcome | undefined;
  let last: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as TrainProgress | ({ type: "done" } & Outcome);
    if (event.type === "done") outcome = event;
    if (event.type !== "epoch") continue;
    last = event.figures["AP"];
    console.error(`epoch ${event.epoch}: AP ${((last ?? 0) * 100).toFixed(1)}`);
  }
  if (!outcome) throw new Error("The training ended without a result.");
  return { ...outcome, last };
}
