// What decoding, sampling and the engine cost a frame, each alone: what a whole pipeline is held against.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { lastValueFrom, tap } from "rxjs";
import type { Bundle } from "../src/model/bundle.ts";
import { floorOf } from "../src/model/detector.ts";
import type { Engine } from "../src/model/engines/engine.ts";
import { openEngine } from "../src/model/engines/open.ts";
import { createSampler } from "../src/model/sample.ts";
import type { Ffmpeg } from "../src/pipeline/find-ffmpeg.ts";
import { openSource } from "../src/pipeline/source.ts";
import { benchFrames, type Contender, fileStream, measure, median, SOURCE } from "./harness.ts";

/** Core-milliseconds a frame; engines by `int8 1`, their precision and threads. */
export interface Parts {
  readonly decode: number;
  readonly sample: number;
  readonly engines: ReadonlyMap<string, number>;
}

export interface PartsOptions {
  readonly video: string;
  readonly bundle: Bundle;
  readonly ffmpeg: Ffmpeg;
  readonly precisions: readonly ("fp32" | "int8")[];
  readonly rounds: number;
}

/** Frames a second of cores that do nothing but these parts, and are never idle. */
export function allowedRate({ decode: decoding, sample }: Parts, engine: number): number {
  return (1000 * availableParallelism()) / (decoding + sample + engine);
}

/** Frames a video has, all of them decoded and dropped. */
export async function decode(video: string, ffmpeg: Ffmpeg): Promise<number> {
  let frames = 0;
  const closed = new Promise<void>((resolve) => {
    const source = openSource(fileStream(video), { ...SOURCE, ffmpeg, onClosed: resolve });
    void lastValueFrom(
      source.pipe(
        tap((frame) => {
          frames += 1;
          frame.release();
        }),
      ),
    );
  });
  await closed;
  return frames;
}

/** Core-milliseconds a frame of each part alone: engines with one thread, and with all, when they hold all cores. */
export async function parts({ video, bundle, ffmpeg, precisions, rounds }: PartsOptions): Promise<Parts> {
  const inputBytes = bundle.spec.input.width * bundle.spec.input.height * 3;
  const cores = availableParallelism();
  const pictures = await benchFrames(video, 16);
  const inputs = new Uint8Array(pictures.length * inputBytes);
  const sampler = createSampler(bundle.spec.input);
  const engines = new Map<string, Engine>();
  // As `multibox annotate` has it, scores over 0.3.
  const floor = floorOf(bundle.spec, { minScore: 0.3 });
  for (const precision of precisions) {
    for (const threads of [1, cores]) {
      const { engine } = await openEngine("onnx:cpu", bundle, { threads, precision, floor });
      engines.set(`${precision} ${threads}`, engine);
    }
  }
  const runEngine = (engine: Engine) => async (): Promise<number> => {
    for (let i = 0; i < 32; i += 8) await engine.run(inputs.subarray((i % 16) * inputBytes), 8);
    return 32;
  };
  const contenders: Contender[] = [
    {
      name: "sample",
      run: async () => {
        for (let i = 0; i < 64; i++) sampler(pictures[i % 16]!, inputs, (i % 16) * inputBytes);
        return 64;
      },
    },
    ...[...engines].map(([name, engine]) => ({ name, run: runEngine(engine) })),
  ];
  const figures = await measure(contenders, rounds * 2);
  for (const engine of engines.values()) await engine.close();
  const decoding: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = cpuMs();
    const frames = await decode(video, ffmpeg);
    decoding.push((cpuMs() - before) / frames);
  }
  return {
    decode: median(decoding),
    sample: median(figures.get("sample")!),
    engines: new Map(
      [...engines.keys()].map((name) => [name, median(figures.get(name)!) * Number(name.split(" ")[1])]),
    ),
  };
}

/** CPU milliseconds of this process, its threads, and its children. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childCpuMs();
}

/** CPU milliseconds of the children that this process has waited for, as Linux counts them. */
export function childCpuMs(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
