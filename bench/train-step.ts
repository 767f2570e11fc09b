// What does a training step cost? Batches of 8, forward, loss, back and update, on each engine and beside PyTorch.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sentenceOf } from "../src/errors.ts";
import { defaultBoxes } from "../src/model/default-boxes.ts";
import { inputShape } from "../src/model/graph.ts";
import { random } from "../src/model/random.ts";
import { freezer, planTraining, shapeOf, type TrainingPlan } from "../src/training/backward/plan.ts";
import { openOnnxTraining } from "../src/training/engines/onnx-step.ts";
import { openTfjsTraining, type TfjsTrainEngine } from "../src/training/engines/tfjs-step.ts";
import type { TrainBatch, TrainEngine } from "../src/training/engines/train-engine.ts";
import { PAPER_LOSS } from "../src/training/loss.ts";
import { Matcher } from "../src/training/match.ts";
import { PAPER_SGD, Sgd } from "../src/training/sgd.ts";
import type { Bundle } from "../src/model/bundle.ts";
import { benchModel, median, printMachine } from "./harness.ts";
import { untrained } from "./networks.ts";

const { values: chosen } = parseArgs({
  options: {
    engines: { type: "string", default: "onnx:cpu,tfjs:cpu,tfjs:wasm,pytorch" },
    cases: { type: "string", default: "heads,whole,ssd300" },
    rounds: { type: "string", default: "7" },
    turns: { type: "string", default: "3" },
    child: { type: "boolean", default: false },
    python: { type: "string", default: process.env["MULTIBOX_PYTHON"] ?? "python3" },
  },
});
const BATCH = 8;
const rounds = Number(chosen.rounds);
/** The first steps reserve memory, a little still in the fourth; bench/train-step.py leaves out as many. */
const WARM_UP = 5;
/** A slow engine runs for so long at most, but three times. */
const BUDGET_MS = 20_000;

interface Case {
  readonly title: string;
  readonly bundle: Bundle;
  readonly plan: TrainingPlan;
  readonly given: "pictures" | "features";
}

if (chosen.child) {
  console.log(JSON.stringify(await timeEngine(chosen.engines, await caseOf(chosen.cases))));
} else {
  printMachine();
  console.log(
    `Batches of ${BATCH}; medians of ${rounds} steps in each of ${chosen.turns} turns. Ratio: to onnx:cpu.\n`,
  );
  console.log("| | engine | ms a step | ratio |\n|---|---|---|---|");
  for (const name of chosen.cases.split(",")) await measureCase(name);
}

async function caseOf(name: string): Promise<Case> {
  const bundle = name === "ssd300" ? untrained("ssd300-vgg16-voc") : (await benchModel()).bundle;
  const frozen = name === "whole" ? [] : ["base."];
  const plan = planTraining(bundle.graph, freezer(bundle.graph, frozen));
  const what = name === "whole" ? "all of it" : "heads and extra layers, on features";
  return { title: `${bundle.spec.name}, ${what}`, bundle, plan, given: name === "whole" ? "pictures" : "features" };
}

/** Engines take turns, each in a process of its own, in which nothing of another lies in memory. */
async function measureCase(name: string): Promise<void> {
  const one = await caseOf(name);
  const figures = new Map<string, number[] | string>(chosen.engines.split(",").map((engine) => [engine, []]));
  for (let turn = 0; turn < Number(chosen.turns); turn++) {
    for (const [engine, times] of figures) {
      if (typeof times === "string") continue;
      try {
        times.push(...(engine === "pytorch" ? await timePython(one) : timeAlone(engine, name)));
      } catch (error) {
        figures.set(engine, sentenceOf(error).split("\n")[0]!);
      }
    }
  }
  const baseline = figures.get("onnx:cpu");
  for (const [engine, times] of figures) {
    const ms = typeof times === "string" ? undefined : median(times);
    const ratio = ms === undefined || !Array.isArray(baseline) ? "" : (ms / median(baseline)).toFixed(2);
    console.log(`| ${one.title} | ${engine} | ${ms?.toFixed(0) ?? String(times)} | ${ratio} |`);
  }
}

function timeAlone(engine: string, name: string): number[] {
  const args = ["--child", "--engines", engine, "--cases", name, "--rounds", chosen.rounds];
  const { status, stdout, stderr } = spawnSync(process.execPath, [process.argv[1]!, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(/\w*Error: (.*)/.exec(stderr)?.[1] ?? `not measured: exit code ${status}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as number[];
}

async function timeEngine(name: string, { bundle, plan, given }: Case): Promise<number[]> {
  const { weights, spec } = bundle;
  const options = { given, loss: { ...PAPER_LOSS, scores: spec.scores }, threads: 0 };
  const engine: TrainEngine =
    name === "onnx:cpu"
      ? await openOnnxTraining(plan, weights, options)
      : await openTfjsTraining(name as TfjsTrainEngine, plan, weights, options);
  try {
    const sgd = new Sgd(engine.weights, PAPER_SGD);
    const batch = drawnBatch(bundle, plan, given);
    const times: number[] = [];
    const begin = performance.now();
    for (let round = -WARM_UP; round < rounds && (round < 3 || performance.now() - begin < BUDGET_MS); round++) {
      const start = performance.now();
      // So small a rate that untrained networks do not run away.
      sgd.step((await engine.gradients(batch)).gradients, 1e-9);
      if (round >= 0) times.push(performance.now() - start);
    }
    return times;
  } finally {
    await engine.close();
  }
}

/** Noise, and three objects on each picture. */
function drawnBatch({ spec, graph }: Bundle, plan: TrainingPlan, given: Case["given"]): TrainBatch {
  const next = random(1);
  const matcher = new Matcher(defaultBoxes(spec), spec.variances);
  const targets = Array.from({ length: BATCH }, () =>
    matcher.targetsOf(
      Array.from({ length: 3 }, () => {
        const [width, height] = [0.1 + next() * 0.5, 0.1 + next() * 0.5];
        const box = [width / 2 + next() * (1 - width), height / 2 + next() * (1 - height), width, height] as const;
        return { box, label: 1 + Math.floor(next() * (spec.labels.length - 1)) };
      }),
    ),
  );
  const [, height, width] = inputShape(graph);
  const pictures = Uint8Array.from({ length: BATCH * height * width * 3 }, () => next() * 256);
  if (given === "pictures") return { inputs: new Map([["pictures", pictures]]), targets };
  const features = plan.frontier.map((name) => {
    const length = BATCH * shapeOf(graph, name).reduce((product, size) => product * size, 1);
    return [name, Float32Array.from({ length }, () => Math.max(0, next() * 4 - 2))] as const;
  });
  return { inputs: new Map(features), targets };
}

/** The same nodes in PyTorch, with the same targets. */
async function timePython({ bundle, plan, given }: Case): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "multibox-train-step-"));
  try {
    const { nodes, offsets, logits } = bundle.graph;
    const { targets } = drawnBatch(bundle, plan, given);
    const graph = {
      nodes,
      offsets,
      logits,
      trained: plan.trained,
      frontier: plan.frontier,
      given,
      batch: BATCH,
      rounds,
      scores: bundle.spec.scores,
      targets: {
        labels: targets.flatMap((picture) => [...picture.labels]),
        offsets: targets.flatMap((picture) => [...picture.offsets]),
      },
    };
    await writeFile(join(folder, "graph.json"), JSON.stringify(graph));
    const script = join(import.meta.dirname, "../../../bench/train-step.py");
    const { status, stdout, stderr } = spawnSync(chosen.python, [script, join(folder, "graph.json")], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`not measured: ${stderr.trim().split("\n").at(-1) || "no Python here"}`);
    return JSON.parse(stdout) as number[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
