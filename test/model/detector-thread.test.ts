// One thread of a detector: how it comes by its model.
import { expect, test } from "vitest";
import { DetectorThread } from "../../src/model/detector-thread.ts";
import type { CompiledModel } from "../../src/model/detector-worker.ts";
import { createDetector } from "../../src/model/detector.ts";
import { openEngine } from "../../src/model/engines/open.ts";
import { defaultBundle, defaultModelFolder } from "../support/model.ts";
import { expectSame } from "./support/detections.ts";
import { drawPicture } from "./support/pictures.ts";

const PICTURE = drawPicture(640, 360, 1);
const setup = (folder: string): ConstructorParameters<typeof DetectorThread>[0]["setup"] => ({
  folder,
  engine: "onnx:cpu",
  threads: 1,
  maxBatch: 1,
  minScore: 0.3,
});

async function detectIn(thread: DetectorThread): ReturnType<ReturnType<typeof createDetector>["detect"]> {
  const reply = await new Promise((resolve, reject) => {
    thread.onIdle = () => {};
    thread.send({ request: { type: "detect", pictures: [PICTURE] }, resolve, reject });
  });
  return (reply as { result: Awaited<ReturnType<typeof detectIn>> }).result;
}

test("one reads the model and compiles it for another, which needs no file, and both find the same", async () => {
  const opened: DetectorThread[] = [];
  const onLost = (): void => {};
  try {
    const compiled = new Promise<CompiledModel>((onCompiled) => {
      opened.push(new DetectorThread({ setup: setup(defaultModelFolder()), onCompiled, onLost }));
    });
    opened.push(new DetectorThread({ setup: setup("/no/such/folder"), compiled, onLost }));
    const [first, further] = await Promise.all(opened.map(({ ready }) => ready));
    expect(further).toEqual(first);
    expect(first!.info.engine).toBe("onnx:cpu, 1 thread");
    const [found, likewise] = await Promise.all(opened.map(detectIn));
    const bundle = await defaultBundle();
    const alone = createDetector(bundle, await openEngine("onnx:cpu", bundle, { threads: 1 }), {
      maxBatch: 1,
      minScore: 0.3,
    });
    const [wanted] = (await alone.detect([PICTURE])).detections;
    expect(wanted!.length).toBeGreaterThan(0);
    expectSame(found!.detections[0]!, wanted!);
    expect(likewise!.detections).toEqual(found!.detections);
    await alone.close();
  } finally {
    await Promise.all(opened.map((thread) => thread.close()));
  }
});

test("one that waits for another's model can be closed meanwhile", async () => {
  const never = new Promise<CompiledModel>(() => {});
  const thread = new DetectorThread({ setup: setup("/no/such/folder"), compiled: never, onLost: () => {} });
  const outcome = thread.ready.catch((error: unknown) => error);
  await thread.close();
  expect(await outcome).toMatchObject({ code: "ENGINE_CLOSED" });
});
