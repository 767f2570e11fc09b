// Does the memory of `multibox annotate` depend on the length of a video? The same 1080p scene for 1 and 10 minutes.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFfmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { benchVideo, printMachine } from "./harness.ts";

const run = promisify(execFile);
const MINUTES = process.argv.slice(2).map(Number);
const scratch = await mkdtemp(join(tmpdir(), "multibox-bench-"));
const ffmpeg = (await findFfmpeg()).path;

interface Summary {
  readonly frames: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

async function annotate(video: string): Promise<Summary> {
  const args = ["dist/cli.js", "annotate", video, "--force", "--json", "--out", join(scratch, "found.jsonl")];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Summary;
}

try {
  printMachine();
  const scene = join(scratch, "scene.mp4");
  const source = await benchVideo("mmdetection-demo.mp4");
  const encode = "-vf scale=-2:1080 -c:v libx264 -preset veryfast -crf 20".split(" ");
  await run(ffmpeg, ["-v", "error", "-stream_loop", "26", "-i", source, "-an", ...encode, scene]);
  for (const minutes of MINUTES.length > 0 ? MINUTES : [1, 10]) {
    const video = join(scratch, `${minutes}.mp4`);
    await run(ffmpeg, ["-v", "error", "-stream_loop", String(minutes - 1), "-i", scene, "-c", "copy", video]);
    const { frames, seconds, peakMegabytes } = await annotate(video);
    console.log(`${minutes} min: ${frames} frames in ${seconds.toFixed(1)} s, at most ${peakMegabytes} MB resident`);
  }
} finally {
  await rm(scratch, { recursive: true });
}
