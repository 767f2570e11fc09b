// What decoding and detecting cost a frame while they share all cores, neither waiting for the other: what a pipeline of both can reach.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { openDetector } from "../src/model/detector-pool.ts";
import type { Ffmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { benchFrames } from "./harness.ts";
import { childCpuMs, decode } from "./parts.ts";

/** Core-milliseconds a frame: ffmpeg and the thread that reads its pipe; sampling, engine and post-processing. */
export interface Together {
  readonly decode: number;
  readonly detect: number;
}

/** Alone a part has all caches and all memory to itself: its time there is none that two parts can have together. */
export async function together(
  video: string,
  folder: string,
  ffmpeg: Ffmpeg,
  precision: "fp32" | "int8",
): Promise<Together> {
  // As `multibox annotate` has it.
  const detector = await openDetector({
    folder,
    engine: "onnx:cpu",
    precision,
    workers: availableParallelism(),
    maxBatch: 8,
    minScore: 0.3,
  });
  const pictures = (await benchFrames(video, 16)).slice(0, 8);
  await detector.warmUp();
  let detected = 0;
  const decoded = new AbortController();
  const detectOn = async (): Promise<void> => {
    while (!decoded.signal.aborted) {
      await detector.detect(pictures);
      detected += pictures.length;
    }
  };
  const [process0, main0, child0] = [process.cpuUsage(), mainThreadMs(), childCpuMs()];
  const loops = Array.from({ length: detector.slots }, detectOn);
  const frames = await decode(video, ffmpeg);
  const { user, system } = process.cpuUsage(process0);
  const main = mainThreadMs() - main0;
  const figures = {
    decode: (childCpuMs() - child0 + main) / frames,
    detect: ((user + system) / 1000 - main) / detected,
  };
  decoded.abort();
  await Promise.all(loops);
  await detector.close();
  return figures;
}

/** CPU time of this process's first thread, which Linux counts in nanoseconds. */
function mainThreadMs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
}
