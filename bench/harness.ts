// What the benches share: medians over alternating rounds, the machine in a line, and real frames to work on.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { firstValueFrom, take, toArray, tap } from "rxjs";
import { defaultCacheDir } from "../src/cache-dir.ts";
import { demoClip } from "../src/demo-clip.ts";
import type { YuvImage } from "../src/model/detection.ts";
import { openModel } from "../src/model/zoo.ts";
import { openSource } from "../src/pipeline/source.ts";
import type { StreamConfig } from "../src/pipeline/stream.ts";

/** One thing that is timed: a name, and what does the work once and says how many frames that were. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<number>;
  /** Fewer than of the others, for what is slow. */
  readonly rounds?: number;
}

/**
 * Milliseconds a frame of each contender, a figure a round. Rounds alternate, so that a slow spell of the machine hits all. A round before
 * the first warms up, unless whole processes are timed, which nothing stays warm in.
 */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
  { warmUp = true }: { readonly warmUp?: boolean } = {},
): Promise<Map<string, number[]>> {
  const figures = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const { name, run, rounds: own = rounds } of order) {
      if (round >= own) continue;
      const start = performance.now();
      const frames = await run();
      if (round >= 0) figures.get(name)!.push((performance.now() - start) / frames);
    }
  }
  return figures;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Median, spread, and ratio to the first one: the median of the rounds' own ratios, since the machine is the same within a round
 * and not from round to round.
 */
export function printTable(figures: ReadonlyMap<string, readonly number[]>): void {
  const [baseline] = figures.values();
  console.log(
    `${"".padEnd(44)}${"ms a frame".padStart(12)}${"frames/s".padStart(10)}${"ratio".padStart(8)}   min..max`,
  );
  for (const [name, values] of figures) {
    const middle = median(values);
    const spread = `${Math.min(...values).toFixed(2)}..${Math.max(...values).toFixed(2)}`;
    const cells = [middle.toFixed(2).padStart(12), (1000 / middle).toFixed(1).padStart(10)];
    console.log(`${name.padEnd(44)}${cells.join("")}${ratioOf(values, baseline!).toFixed(3).padStart(8)}   ${spread}`);
  }
}

/** Of what was measured in the same rounds. */
export function ratioOf(values: readonly number[], baseline: readonly number[]): number {
  return median(values.slice(0, baseline.length).map((value, round) => value / baseline[round]!));
}

export function printMachine(): void {
  const vnni = existsSync("/proc/cpuinfo") && /avx512_vnni|avx_vnni/.test(readFileSync("/proc/cpuinfo", "utf8"));
  const cores = `${availableParallelism()} cores ${cpus()[0]?.model ?? "?"}${vnni ? " with VNNI" : ""}`;
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cores}, Node ${process.version}, ${process.platform}-${process.arch}\n`,
  );
}

/** The folder of the test data, which may be absent. */
export const DATA = process.env["MULTIBOX_DATA"] ?? join(process.cwd(), "../shared/data");

/** A video of the test data, or the demo clip where they are absent. */
export async function benchVideo(name: string): Promise<string> {
  const file = join(DATA, "videos", name);
  return existsSync(file) ? file : demoClip(defaultCacheDir());
}

export async function benchModel(): Promise<Awaited<ReturnType<typeof openModel>>> {
  return openModel("ssdlite-mobilenet-v2", { cacheDir: defaultCacheDir() });
}

export function fileStream(url: string, loop = false): StreamConfig {
  return { id: "bench", url, loop, transport: "tcp" };
}

export const SOURCE = { maxDecodeWidth: 1920, poolSize: 14, onDecoded: (): void => {}, onDrop: (): void => {} };

/** The first frames of a video, in shared memory as the pipeline has them. */
export async function benchFrames(video: string, count: number): Promise<YuvImage[]> {
  const frames = openSource(fileStream(video), { ...SOURCE, poolSize: count }).pipe(
    take(count),
    tap((frame) => frame.retain()),
    toArray(),
  );
  return (await firstValueFrom(frames)).map(({ picture }) => picture);
}

/** A street scene over and over, kept in the cache folder; larger than its 720 lines, it is scaled up and encoded once. */
export async function streetVideo(ffmpeg: string, height: number, loops: number): Promise<string> {
  const cache = join(defaultCacheDir(), "bench");
  const path = join(cache, `street-${height}-${loops}.mp4`);
  if (existsSync(path)) return path;
  await mkdir(cache, { recursive: true });
  const draft = join(cache, "draft.mp4");
  const source = await benchVideo("mmdetection-demo.mp4");
  const scaled = ["-vf", `scale=-2:${height}`, "-c:v", "libx264", "-preset", "medium", "-crf", "20"];
  const encode = height === 720 ? ["-c", "copy"] : scaled;
  const args = ["-v", "error", "-y", "-stream_loop", String(loops - 1), "-i", source, "-an", ...encode, draft];
  await promisify(execFile)(ffmpeg, args);
  await rename(draft, path);
  return path;
}
