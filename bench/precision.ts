// What does int8 save? The same session in fp32 and in int8: the default model, and SSD300 with weights that nobody trained.
import { availableParallelism } from "node:os";
import { rangesOf } from "../src/model/bundle.ts";
import type { Engine, Network } from "../src/model/engines/engine.ts";
import { openOnnxCpu } from "../src/model/engines/onnx.ts";
import { buildSsd } from "../src/model/networks/ssd.ts";
import { observeRanges } from "../src/model/observe-ranges.ts";
import { createSampler } from "../src/model/sample.ts";
import type { SsdSpec } from "../src/model/spec.ts";
import { SPECS } from "../src/model/specs.ts";
import { yuvToRgb } from "../src/pipeline/yuv-to-rgb.ts";
import { randomWeights } from "../test/model/support/random-weights.ts";
import { benchFrames, benchModel, benchVideo, type Contender, measure, printMachine, printTable } from "./harness.ts";

const ROUNDS = 9;
const BATCH = 8;

const pictures = (await benchFrames(await benchVideo("vtest.avi"), 8)).map((frame) => yuvToRgb(frame));
const { bundle } = await benchModel();
const ssd300 = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;

printMachine();
console.log(`${ROUNDS} rounds; batches of ${BATCH}\n`);
await compare(bundle.spec, bundle, 32);
await compare(ssd300, await observed(ssd300), BATCH);

/** SSD300's time does not depend on what its weights are, as long as values neither fade nor explode. */
async function observed(spec: SsdSpec): Promise<Network> {
  const graph = buildSsd(spec);
  const network = { graph, weights: randomWeights(graph, 1), spec };
  const frames = (async function* () {
    for (const picture of pictures) yield await Promise.resolve(picture);
  })();
  const quantization = await observeRanges(network, frames, { method: { kind: "min-max" }, threads: 0 });
  return { ...network, ranges: rangesOf(quantization) };
}

async function compare(
  { name, input: { width, height, ...pixels } }: SsdSpec,
  network: Network,
  frames: number,
): Promise<void> {
  const batch = new Uint8Array(BATCH * width * height * 3);
  const sample = createSampler({ width, height, ...pixels });
  for (let i = 0; i < BATCH; i++) sample(pictures[i]!, batch, i * width * height * 3);
  for (const threads of new Set([1, availableParallelism()])) {
    const engines = [
      await openOnnxCpu(network, { threads, precision: "fp32" }),
      await openOnnxCpu(network, { threads, precision: "int8" }),
    ];
    const contender = (engine: Engine): Contender => ({
      name: `${name}, ${engine.description}`,
      async run() {
        for (let done = 0; done < frames; done += BATCH) await engine.run(batch, BATCH);
        return frames;
      },
    });
    printTable(await measure(engines.map(contender), ROUNDS));
    console.log();
    for (const engine of engines) await engine.close();
  }
}
