// What does an annotation job cost the streams that run beside it? Latency of four streams, without and with a job, round by round.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import type { JobInfo } from "../src/server/jobs/job-schemas.ts";
import type { ServerMessage } from "../src/server/protocol.ts";
import { benchVideo, median, printMachine } from "./harness.ts";

const [ROUNDS = 4, SECONDS = 12] = process.argv.slice(2).map(Number);
const STREAMS = 4;
const FPS = 10;
const VIDEOS = ["vtest.avi", "intel-car-detection.mp4", "mmdetection-demo.mp4", "roboflow-example_video.mp4"];

interface Phase {
  readonly name: string;
  /** Of the job that runs meanwhile. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly until?: "detecting" | "writing";
}

const PHASES: readonly Phase[] = [
  { name: "no job" },
  { name: "a job that detects", options: { out: ["jsonl"] }, until: "detecting" },
  { name: "a job that encodes", options: { out: ["video"], end: 1 }, until: "writing" },
];

const folder = mkdtempSync(join(tmpdir(), "multibox-bench-"));
const ffmpeg = (await findFfmpeg()).path;
const run = (...args: string[]): void => void execFileSync(ffmpeg, ["-nostdin", "-v", "error", "-y", ...args]);

const clips = await Promise.all(VIDEOS.map(async (name, i) => cameraClip(await benchVideo(name), `${i}.mp4`)));
const long = join(folder, "long.mp4");
run("-stream_loop", "60", "-i", await benchVideo("roboflow-example_video.mp4"), "-an", "-c", "copy", long);
const server = spawn(
  process.execPath,
  [
    "dist/cli.js",
    "serve",
    "--port",
    "0",
    "--json",
    "--no-demo",
    "--log-level",
    "error",
    "--data-dir",
    folder,
    "--file-roots",
    folder,
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
try {
  printMachine();
  const ready = await firstLine(server);
  const { url, detections } = JSON.parse(ready) as { url: string; detections: string };
  console.log(
    `${STREAMS} looped clips of 640 x 360 at ${FPS} frames/s, ${ROUNDS} rounds of ${SECONDS} s each; job: 1280 x 720\n`,
  );
  for (let i = 0; i < STREAMS; i++) {
    await post(`${url}v1/streams`, { id: `s${i}`, url: clips[i]! });
    // As cameras are: not all at the same moment.
    await sleep(1000 / FPS / STREAMS + 20);
  }
  const latencies: number[] = [];
  const socket = new WebSocket(detections);
  socket.on("open", () => socket.send(JSON.stringify({ id: 1, type: "subscribe", streams: ["*"] })));
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === "detections") latencies.push(message.timing.totalMs);
  });
  await sleep(5000);
  const figures = new Map(PHASES.map(({ name }) => [name, [] as number[][]]));
  const rates = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const phase of PHASES) {
      const job = phase.options && (await begin(url, phase));
      const before = job === undefined ? undefined : await look(url, job);
      await sleep(500);
      latencies.length = 0;
      await sleep(SECONDS * 1000);
      const sorted = latencies.toSorted((a, b) => a - b);
      figures.get(phase.name)!.push(sorted);
      console.log(
        `round ${round + 1}, ${phase.name}: p50 ${quantile(sorted, 0.5).toFixed(1)}, p99 ${quantile(sorted, 0.99).toFixed(1)} ms`,
      );
      if (job === undefined) continue;
      const after = await look(url, job);
      const frames = (after.progress?.frames ?? 0) - (before?.progress?.frames ?? 0);
      if (after.state !== "running") throw new Error(`The job is ${after.state}: ${JSON.stringify(after.error)}`);
      rates.set(phase.name, [...(rates.get(phase.name) ?? []), frames / (SECONDS + 0.5)]);
      await fetch(`${url}v1/jobs/${job}`, { method: "DELETE" });
      await sleep(1000);
    }
  }
  socket.terminate();
  print(figures, rates);
} finally {
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  rmSync(folder, { recursive: true });
}

function print(figures: ReadonlyMap<string, readonly number[][]>, rates: ReadonlyMap<string, readonly number[]>): void {
  const at = (share: number) => (sorted: readonly number[]) => quantile(sorted, share);
  const [baseline] = figures.values();
  const base = baseline!.map(at(0.99));
  console.log("                      frames/s   p50 ms   p95 ms   p99 ms   max ms   p99, ratio   job, frames/s");
  for (const [name, rounds] of figures) {
    const frames = rounds.reduce((sum, one) => sum + one.length, 0) / ROUNDS / SECONDS;
    const cells = [frames, ...[0.5, 0.95, 0.99, 1].map((share) => median(rounds.map(at(share))))].map((value) =>
      value.toFixed(1),
    );
    const ratio = median(rounds.map((one, i) => at(0.99)(one) / base[i]!)).toFixed(2);
    const rate = name.endsWith("detects") && rates.has(name) ? median(rates.get(name)!).toFixed(1) : "";
    console.log(
      `${name.padEnd(20)}${cells.map((cell) => cell.padStart(9)).join("")}${ratio.padStart(13)}${rate.padStart(16)}`,
    );
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

async function begin(url: string, { options, until }: Phase): Promise<string> {
  const { id } = (await post(`${url}v1/jobs`, { path: long, ...options })) as JobInfo;
  while ((await look(url, id)).progress?.phase !== until) await sleep(100);
  return id;
}

async function look(url: string, id: string): Promise<JobInfo> {
  return (await (await fetch(`${url}v1/jobs/${id}`)).json()) as JobInfo;
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`The server ended with exit code ${code}.`)));
  });
}

/** What a camera would send of the video. */
function cameraClip(video: string, name: string): string {
  const clip = join(folder, name);
  const options = `-t 20 -an -vf fps=${FPS},scale=640:360 -c:v libx264 -preset veryfast -g ${FPS * 4} -pix_fmt yuv420p`;
  run("-i", video, ...options.split(" "), clip);
  return clip;
}
