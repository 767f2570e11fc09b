// What does a fine-tune bring, and what does it take? The default model on merged labels of COCO and on PASCAL VOC, judged before and after.
import { spawn } from "node:child_process";

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { TrainProgress } from "../src/training/train-events.ts";
import { printMachine } from "./harness.ts";

const { values: chosen, positionals: flags } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: "string", default: "voc,coco" },
    seeds: { type: "string", default: "1,2,3" },
    keep: { type: "string" },
  },
});

const data = process.env["MULTIBOX_DATA"] ?? join(process.cwd(), "../shared/data");

/** COCO's supercategories of these names. */
const MERGED = {
  vehicle: "bicycle,car,motorcycle,airplane,bus,train,truck,boat",
  animal: "bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe",
  food: "banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake",
  furniture: "chair,couch,potted plant,bed,dining table,toilet",
};

const TASKS: Readonly<Record<string, readonly string[]>> = {
  voc: ["--data", join(data, "voc2012")],
  coco: [
    "--data",
    join(data, "coco/train"),
    "--labels",
    "person,vehicle,animal,food,furniture",
    ...Object.entries(MERGED).flatMap(([name, olds]) => ["--merge", `${name}=${olds}`]),
  ],
};

interface Outcome {
  readonly metrics: Record<string, number>;
  readonly parentMetrics: Record<string, number>;
  readonly bestEpoch: number;
  readonly peakMegabytes: number;
  readonly cpuSeconds: number;
}

printMachine();
console.log(
  "| task | seed | AP before | best epoch | last | AP50 before | best epoch | which | minutes | of two cores | peak MB |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|---|");
for (const task of chosen.tasks.split(",")) {
  for (const seed of chosen.seeds.split(",")) console.log(await measure(task, seed));
}

async function measure(task: string, seed: string): Promise<string> {
  const folder = chosen.keep ?? (await mkdtemp(join(tmpdir(), "multibox-fine-tune-")));
  const out = join(folder, `${task}-${seed}`);
  try {
    const start = performance.now();
    const run = [
      "train",
      ...TASKS[task]!,
      "--validation-share",
      "0.3",
      "--seed",
      seed,
      "--out",
      out,
      "--force",
      "--json",
    ];
    const { metrics, parentMetrics, bestEpoch, peakMegabytes, cpuSeconds, last } = await runTraining([
      ...run,
      ...flags,
    ]);
    const minutes = (performance.now() - start) / 60_000;
    // What it would have taken alone, were both cores always at work.
    const alone = cpuSeconds / 60 / 2;
    const percent = (value: number | undefined): string => ((value ?? 0) * 100).toFixed(1);
    const figures = [parentMetrics["AP"], metrics["AP"], last, parentMetrics["AP50"], metrics["AP50"]].map(percent);
    return `| ${[task, seed, ...figures, bestEpoch, minutes.toFixed(1), alone.toFixed(1), peakMegabytes].join(" | ")} |`;
  } finally {
    if (chosen.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
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
