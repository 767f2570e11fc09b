// What does a detector cost beyond its network? The bare session beside the detector with sampling and post-processing.
import { createDetector, type Detector } from "../src/model/detector.ts";
import { openDetector } from "../src/model/detector-pool.ts";
import { openEngine } from "../src/model/engines/open.ts";
import { createSampler } from "../src/model/sample.ts";
import { benchFrames, benchModel, benchVideo, type Contender, measure, printMachine, printTable } from "./harness.ts";

const ROUNDS = 45;
const FRAMES = 16;

const video = await benchVideo("vtest.avi");
const { folder, bundle } = await benchModel();
const pictures = await benchFrames(video, 16);
const { width, height } = bundle.spec.input;
const inputs = new Uint8Array(pictures.length * width * height * 3);
const sample = createSampler(bundle.spec.input);
for (const [i, picture] of pictures.entries()) sample(picture, inputs, i * width * height * 3);

printMachine();
console.log(
  `${bundle.spec.name}, ${FRAMES} frames a round, ${ROUNDS} rounds; pictures of ${pictures[0]!.width} x ${pictures[0]!.height}`,
);
console.log(
  "session: onnxruntime-node on sampled pictures; detector: sampling, session, post-processing (scores over 0.3)\n",
);

for (const threads of [1, 0]) {
  for (const batch of [1, 8]) {
    const opened = await openEngine("auto", bundle, { threads });
    const options = { maxBatch: batch, minScore: 0.3 };
    const inThread = createDetector(bundle, opened, options);
    const pool = await openDetector({ folder, engine: "auto", workers: threads, ...options });
    const slices = Array.from({ length: pictures.length / batch }, (_, i) => i * batch);
    const session = async (): Promise<number> => {
      for (let frames = 0; frames < FRAMES; frames += batch) {
        const at = slices[(frames / batch) % slices.length]! * width * height * 3;
        await opened.engine.run(inputs.subarray(at, at + batch * width * height * 3), batch);
      }
      return FRAMES;
    };
    const detect = (detector: Detector) => async (): Promise<number> => {
      for (let frames = 0; frames < FRAMES; frames += batch) {
        const at = slices[(frames / batch) % slices.length]!;
        await detector.detect(pictures.slice(at, at + batch));
      }
      return FRAMES;
    };
    const contenders: Contender[] = [
      { name: `session, ${opened.engine.description}, batch ${batch}`, run: session },
      { name: "detector in the same thread", run: detect(inThread) },
      { name: "detector in its worker", run: detect(pool) },
    ];
    printTable(await measure(contenders, ROUNDS));
    console.log();
    await pool.close();
    await inThread.close();
  }
}
