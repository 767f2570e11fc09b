// What does int8 save? The same session in fp32 and in int8: the default model, and SSD300 with weights that nobody trained.
import { availableParallelism } from "node:os";
import { type Bundle, rangesOf } from "../src/model/bundle.ts";
import type { Engine } from "../src/model/engines/engine.ts";
import { openOnnxCpu } from "../src/model/engines/onnx.ts";
import { createSampler } from "../src/model/sample.ts";
import { yuvToRgb } from "../src/pipeline/yuv-to-rgb.ts";
import { quantizationOf, untrained } from "./networks.ts";
import { benchFrames, benchModel, benchVideo, type Contender, measure, printMachine, printTable } from "./harness.ts";

const ROUNDS = 9;
const BATCH = 8;

const pictures = (await benchFrames(await benchVideo("vtest.avi"), 8)).map((frame) => yuvToRgb(frame));
const { bundle } = await benchModel();
const ssd300 = untrained("ssd300-vgg16-voc");

printMachine();
console.log(`${ROUNDS} rounds; batches of ${BATCH}\n`);
await compare(bundle, 32);
await compare({ ...ssd300, ranges: rangesOf(await quantizationOf(ssd300)) }, BATCH);

async function compare(network: Bundle, frames: number): Promise<void> {
  const { name, input } = network.spec;
  const { width, height } = input;
  const batch = new Uint8Array(BATCH * width * height * 3);
  const sample = createSampler(input);
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
