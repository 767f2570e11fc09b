// How many cameras do two cores hold, how late are their detections, and who gets what when there is too much to do?
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDetector, type PoolOptions } from "../src/model/detector-pool.ts";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import type { BatchReport } from "../src/pipeline/lane.ts";
import { createPipeline, type Pipeline } from "../src/pipeline/pipeline.ts";
import { benchModel, benchVideo, median, printMachine } from "./harness.ts";
import { cpuSeconds, rssMb, childrenOf } from "./process-use.ts";

const FPS = 5;
const SECONDS = Number(process.argv[2] ?? 15);
const MAX_DELAY_MS = 10;
const VIDEOS = ["vtest.avi", "intel-car-detection.mp4", "mmdetection-demo.mp4", "roboflow-example_video.mp4"];

const folder = mkdtempSync(join(tmpdir(), "multibox-bench-"));
const ffmpeg = await findFfmpeg();
try {
  const clips = await Promise.all(VIDEOS.map(async (name, i) => cameraClip(await benchVideo(name), `${i}.mp4`)));
  printMachine();
  console.log(
    `looped clips of 640 x 360 at ${FPS} frames/s, ${SECONDS} s each, maxDelayMs ${MAX_DELAY_MS}; milliseconds`,
  );
  console.log("2(d+b): twice the delay and a batch, the median of those that are full, or of all where few are");
  console.log(
    "of own: p99 of a frame's delay, as a share of twice the delay and the longer of the two batches that it met\n",
  );
  await runAll("the engine that auto chooses", [1, 4, 8, 16, 32], clips, { workers: 0, precision: "auto" });
  await runAll("overloaded: fp32 in one worker of one thread", [16, 32], clips, { workers: 1, precision: "fp32" });
} finally {
  rmSync(folder, { recursive: true });
}

async function runAll(
  title: string,
  counts: readonly number[],
  clips: readonly string[],
  options: Pick<PoolOptions, "workers" | "precision">,
): Promise<void> {
  const { folder: model } = await benchModel();
  const detector = await openDetector({ folder: model, engine: "onnx:cpu", maxBatch: 8, minScore: 0.3, ...options });
  await detector.warmUp();
  console.log(`${title} (${detector.info.engine})`);
  console.log(
    "streams  decoded/s  detected/s  least/fair  fill  batch p50  p99  queue p99  all p50  p95  p99  2(d+b)  of own  cores  server MB  ffmpeg MB",
  );
  for (const count of counts) {
    const pipeline = createPipeline(detector, {
      maxDelayMs: MAX_DELAY_MS,
      maxDecodeWidth: 1920,
      stallMs: 10_000,
      ffmpeg,
    });
    try {
      for (let i = 0; i < count; i++) {
        pipeline.add({ id: `s${i}`, url: clips[i % clips.length]!, loop: true, transport: "tcp" });
        // As cameras are: not all at the same moment.
        await sleep(1000 / FPS / count + 20);
      }
      await settle(pipeline);
      console.log(row(count, await measure(pipeline)));
    } finally {
      await pipeline.close();
    }
  }
  await detector.close();
  console.log();
}

interface Measured {
  readonly decoded: number;
  readonly detected: readonly number[];
  /** In the waiting room, in all, and of whole batches in the detector; ascending. */
  readonly queueMs: readonly number[];
  readonly totalMs: readonly number[];
  readonly batchMs: readonly number[];
  /** Of a frame's delay, as a share of twice the longest wait and the longer of its batch and the one before it; ascending. */
  readonly shares: readonly number[];
  /** Of a full batch, or of any where few are full. */
  readonly fullMs: number;
  /** Frames a batch. */
  readonly fill: number;
  readonly cores: number;
  readonly serverMb: number;
  /** Of each one; what they share (libraries, about half of it) is counted in each. */
  readonly ffmpegMb: number;
}

async function measure(pipeline: Pipeline): Promise<Measured> {
  const ids = pipeline.list().map(({ config }) => config.id);
  const totals: number[] = [];
  const queues: number[] = [];
  const shares: number[] = [];
  const batches: BatchReport[] = [];
  const before = ids.map((id) => pipeline.counts(id));
  const decoders = childrenOf(process.pid);
  const pids = [process.pid, ...decoders];
  const cpuBefore = pids.map(cpuSeconds);
  const start = performance.now();
  const subscription = pipeline.detected.subscribe(({ timing: { queueMs, totalMs } }) => {
    queues.push(queueMs);
    totals.push(totalMs);
    // Its own batch, which is done, and the one in the detector when it came.
    const met = Math.max(totalMs - queueMs, batches.at(-2)?.ms ?? 0);
    shares.push(totalMs / (2 * (MAX_DELAY_MS + met)));
  });
  subscription.add(pipeline.batches.subscribe((batch) => batches.push(batch)));
  await sleep(SECONDS * 1000);
  subscription.unsubscribe();
  const seconds = (performance.now() - start) / 1000;
  const after = ids.map((id) => pipeline.counts(id));
  const cpu = pids.map(cpuSeconds).reduce((sum, now, i) => sum + now - cpuBefore[i]!, 0);
  return {
    decoded: after.reduce((sum, { decoded }, i) => sum + decoded - before[i]!.decoded, 0) / seconds,
    detected: after.map(({ detected }, i) => (detected - before[i]!.detected) / seconds),
    queueMs: ascending(queues),
    totalMs: ascending(totals),
    shares: ascending(shares),
    batchMs: ascending(batches.map(({ ms }) => ms)),
    fullMs: fullBatchMs(batches),
    fill: batches.reduce((sum, { size }) => sum + size, 0) / batches.length,
    cores: cpu / seconds,
    serverMb: rssMb(process.pid),
    ffmpegMb: median(decoders.map(rssMb)),
  };
}

function row(count: number, { detected, queueMs, totalMs, batchMs, ...rest }: Measured): string {
  const all = detected.reduce((sum, each) => sum + each, 0);
  const cells: readonly (readonly [number, number, number])[] = [
    [count, 0, 7],
    [rest.decoded, 1, 11],
    [all, 1, 12],
    [Math.min(...detected) / (all / count), 2, 12],
    [rest.fill, 1, 6],
    [quantile(batchMs, 0.5), 0, 11],
    [quantile(batchMs, 0.99), 0, 5],
    [quantile(queueMs, 0.99), 0, 11],
    [quantile(totalMs, 0.5), 0, 9],
    [quantile(totalMs, 0.95), 0, 5],
    [quantile(totalMs, 0.99), 0, 5],
    [2 * (MAX_DELAY_MS + rest.fullMs), 0, 8],
    [quantile(rest.shares, 0.99), 2, 8],
    [rest.cores, 2, 7],
    [rest.serverMb, 0, 11],
    [rest.ffmpegMb, 1, 11],
  ];
  return cells.map(([value, digits, width]) => value.toFixed(digits).padStart(width)).join("");
}

function fullBatchMs(batches: readonly BatchReport[]): number {
  const full = batches.filter(({ size, maxBatch }) => size === maxBatch);
  return median((full.length > batches.length / 10 ? full : batches).map(({ ms }) => ms));
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Until every stream is live, and has been for a while. */
async function settle(pipeline: Pipeline): Promise<void> {
  while (pipeline.list().some(({ state }) => state !== "live")) await sleep(100);
  await sleep(3000);
}

/** What a camera at 5 frames a second would send of the video. */
function cameraClip(video: string, name: string): string {
  const clip = join(folder, name);
  const options = `-t 20 -an -vf fps=${FPS},scale=640:360 -c:v libx264 -preset veryfast -g ${FPS * 4} -pix_fmt yuv420p`;
  execFileSync(ffmpeg.path, ["-nostdin", "-v", "error", "-y", "-i", video, ...options.split(" "), clip]);
  return clip;
}
