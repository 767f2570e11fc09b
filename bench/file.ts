// How much of the rate that decoding, sampling and the engine allow together does a whole pipeline reach on a file?
import { execFileSync, spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { filter, firstValueFrom } from "rxjs";
import { compileOnnx } from "../src/model/compile/onnx.ts";
import { openDetector } from "../src/model/detector-pool.ts";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { createPipeline, type Pipeline } from "../src/pipeline/pipeline.ts";
import { benchModel, benchVideo, type Contender, fileStream } from "./harness.ts";
import { measure, median, printMachine, printTable } from "./harness.ts";
import { allowedRate, decode, parts } from "./parts.ts";

const ROUNDS = 5;
const PRECISIONS = ["fp32", "int8"] as const;
const video = process.argv[2] ?? (await benchVideo("vtest.avi"));
const { folder, bundle } = await benchModel();
const scratch = await mkdtemp(join(tmpdir(), "multibox-bench-"));
const cores = availableParallelism();
const ffmpeg = await findFfmpeg();

async function runPipeline(pipeline: Pipeline): Promise<number> {
  const out = createWriteStream(join(scratch, "detections.jsonl"));
  const writing = pipeline.detected.subscribe(({ frame: { stream, pts }, seq, detections }) => {
    out.write(`${JSON.stringify({ stream, seq, pts, detections })}\n`);
  });
  const ended = firstValueFrom(pipeline.statuses.pipe(filter(({ state }) => state === "ended")));
  pipeline.add(fileStream(video));
  await ended;
  while (pipeline.counts("bench").inFlight > 0) await firstValueFrom(pipeline.detected);
  const { detected } = pipeline.counts("bench");
  await pipeline.remove("bench");
  writing.unsubscribe();
  await finished(out.end());
  return detected;
}

/** The same file and network through Python's OpenCV and onnxruntime, where PYTHON (or python3) has them. */
async function pythonContender(): Promise<Contender[]> {
  const python = process.env["PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import cv2, onnxruntime"]).status !== 0) {
    console.log("Python with cv2 and onnxruntime is not here (set PYTHON): its row is left out.\n");
    return [];
  }
  const model = join(scratch, "model.onnx");
  await writeFile(model, compileOnnx(bundle.graph, bundle.weights));
  const script = join(process.cwd(), "bench/file-opencv.py");
  const run = async (): Promise<number> =>
    Number(execFileSync(python, [script, model, video, join(scratch, "python.jsonl")], { encoding: "utf8" }));
  return [{ name: "Python, OpenCV + onnxruntime, its start included", run }];
}

printMachine();
const alone = await parts({ video, bundle, ffmpeg, precisions: PRECISIONS, rounds: ROUNDS });
const allowedWith = (engine: number): number => allowedRate(alone, engine);
console.log(
  `${video.split("/").at(-1)}, every frame detected (scores over 0.3) and written as JSON lines, ${ROUNDS} rounds`,
);
console.log(`Core-milliseconds a frame of each part alone:
  decode ${alone.decode.toFixed(2)} (CPU of ffmpeg and of reading its pipe), sampling ${alone.sample.toFixed(2)}`);
for (const [name, engine] of alone.engines)
  console.log(
    `  engine ${engine.toFixed(2)} in ${name} threads (its time times its cores): allowed are ${allowedWith(engine).toFixed(1)} frames/s`,
  );
console.log(`Allowed are ${cores} cores x 1000 / (decode + sampling + engine).\n`);

const contenders: Contender[] = [{ name: "decoding alone", run: () => decode(video, ffmpeg) }];
const allowed = new Map<string, number>();
const closers: (() => Promise<void>)[] = [];
for (const [precision, workers] of PRECISIONS.flatMap((one) => [0, cores].map((count) => [one, count] as const))) {
  const detector = await openDetector({ folder, engine: "onnx:cpu", precision, workers, maxBatch: 8, minScore: 0.3 });
  await detector.warmUp();
  const pipeline = createPipeline(detector, { maxDelayMs: 10, maxDecodeWidth: 1920, stallMs: 10_000, ffmpeg });
  const name = `pipeline, ${detector.info.engine}`;
  contenders.push({ name, run: () => runPipeline(pipeline) });
  allowed.set(name, allowedWith(alone.engines.get(`${precision} ${workers === 0 ? cores : 1}`)!));
  closers.push(
    () => pipeline.close(),
    () => detector.close(),
  );
}
contenders.push(...(await pythonContender()));
const figures = await measure(contenders, ROUNDS);
printTable(figures);
console.log();
for (const [name, rate] of allowed) {
  console.log(`${name}: ${((100 * 1000) / median(figures.get(name)!) / rate).toFixed(1)}% of what its parts allow`);
}
for (const close of closers) await close();
await rm(scratch, { recursive: true });
