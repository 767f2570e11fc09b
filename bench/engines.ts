// How fast is each engine? The paper's table of speeds (section 3.8, table 7) with our rows, beside torchvision and OpenCV.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gpuDevices } from "../src/model/engines/gpu-devices.ts";
import { ENGINE_NAMES } from "../src/model/engines/open.ts";
import { benchNetwork, MODELS } from "./networks.ts";
import { multiplyAdds } from "./flops.ts";
import { type Contender, measure, median, printMachine } from "./harness.ts";
import { LineProcess } from "./line-process.ts";

const { values: chosen } = parseArgs({
  options: {
    engines: { type: "string", default: "" },
    models: { type: "string", default: [...MODELS.keys()].join() },
    batches: { type: "string", default: "1,8" },
    rounds: { type: "string", default: "9" },
    // Several may be given: one has torchvision, another OpenCV.
    python: { type: "string", default: process.env["MULTIBOX_PYTHON"] ?? "python3" },
  },
});
const list = (text: string): string[] => text.split(",").filter((part) => part !== "");
const most = Number(chosen.rounds);

/** Frames a second of the paper, on a GPU of 2016. */
const PAPER: readonly [model: string, batch: number, rate: number][] = [
  ["ssd300", 1, 46],
  ["ssd300", 8, 59],
  ["ssd512", 1, 19],
  ["ssd512", 8, 22],
];
const BASELINE = "onnx:cpu fp32";
/** A figure is made of runs that together take about this long, unless one alone takes longer. */
const ROUND_MS = 200;
/** Slow ones get fewer rounds, but three. */
const BUDGET_MS = 30_000;

const scratch = await mkdtemp(join(tmpdir(), "multibox-engines-"));
const programs = new Map<string, LineProcess>();
try {
  printMachine();
  await start();
  console.log(
    `\nUint8 pictures in, raw offsets and logits out; median of at most ${most} alternating rounds. GFLOP are two for each\n` +
      `multiplication with its addition, of convolutions. Ratio: to ${BASELINE}.\n`,
  );
  console.log("| model | by | batch | ms a frame | frames/s | GFLOP/s | ratio |\n|---|---|---|---|---|---|---|");
  for (const model of list(chosen.models)) await measureModel(model);
} finally {
  await Promise.all([...programs.values()].map((program) => program.close()));
  await rm(scratch, { recursive: true, force: true });
}

/** Starts what is asked for, or what may be here, each in a process of its own: some engines do not bear each other. */
async function start(): Promise<void> {
  const asked = list(chosen.engines);
  const gpu = gpuDevices();
  const absent = new Set(gpu.any ? [] : ["onnx:webgpu", "onnx:cuda", "tfjs:gpu"]);
  const names =
    asked.length > 0 ? asked : [...ENGINE_NAMES.filter((name) => !absent.has(name)), "torchvision", "opencv"];
  for (const name of names.filter((one) => one !== "auto")) {
    if (name === "torchvision" || name === "opencv") await startPython(name, name === "opencv" ? "cv2" : "torch");
    else
      for (const precision of name === "onnx:cpu" ? ["fp32", "int8"] : ["fp32"]) {
        const script = join(import.meta.dirname, "engines-child.js");
        await add(`${name} ${precision}`, new LineProcess(process.execPath, [script, name, precision]));
      }
  }
}

async function startPython(name: string, module: string): Promise<void> {
  const python = list(chosen.python).find((one) => spawnSync(one, ["-c", `import ${module}`]).status === 0);
  if (python === undefined) return console.log(`${name}: no Python with ${module} here; set MULTIBOX_PYTHON.`);
  // Not compiled: it lies beside this file's source.
  const script = join(import.meta.dirname, "../../../bench/engines.py");
  await add(undefined, new LineProcess(python, [script, name], { PYTHONDONTWRITEBYTECODE: "1" }));
}

async function add(name: string | undefined, program: LineProcess): Promise<void> {
  try {
    const title = await program.ready();
    programs.set(name ?? title, program);
  } catch (error) {
    console.log(`${name ?? ""}: ${(error as Error).message}`);
    await program.close();
  }
}

async function measureModel(model: string): Promise<void> {
  const { title, graph, folder } = await benchNetwork(model, scratch);
  const gigaflop = (multiplyAdds(graph) * 2) / 1e9;
  for (const batch of list(chosen.batches).map(Number)) {
    const row = (by: string, ms: number, ratio: string): void => {
      const figures = [ms.toFixed(2), (1000 / ms).toFixed(1), ((gigaflop / ms) * 1000).toFixed(0), ratio];
      console.log(`| ${[title, by, batch, ...figures].join(" | ")} |`);
    };
    for (const [of, size, rate] of PAPER) {
      if (of === model && size === batch) row("the paper, Titan X (2016)", 1000 / rate, "");
    }
    const contenders: Contender[] = [];
    for (const [name, program] of programs) {
      const contender = await contend(name, program, { folder, model, batch });
      if (contender) contenders.push(contender);
    }
    const figures = await measure(contenders, most);
    const baseline = figures.get(BASELINE);
    for (const [name, rounds] of figures) {
      row(name, median(rounds), baseline ? (median(rounds) / median(baseline)).toFixed(2) : "");
    }
  }
}

/** Warms a program up, and decides how often it runs; undefined where it cannot run the network, which is said. */
async function contend(
  name: string,
  program: LineProcess,
  network: { folder: string; model: string; batch: number },
): Promise<Contender | undefined> {
  try {
    // The first opens and compiles.
    await program.time({ ...network, runs: 1 });
    const ms = await program.time({ ...network, runs: 1 });
    const runs = Math.max(1, Math.round(ROUND_MS / ms));
    const rounds = Math.max(3, Math.min(most, Math.floor(BUDGET_MS / (runs * ms))));
    const run = async (): Promise<number> => {
      await program.time({ ...network, runs });
      return runs * network.batch;
    };
    return { name, run, rounds };
  } catch (error) {
    console.error(`${name}, ${network.model}, batch ${network.batch}: ${(error as Error).message}`);
    return undefined;
  }
}
