// Batches that never end, with real threads: the batch fails, its thread is replaced, and everything else goes on.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MultiboxError } from "../../src/errors.ts";
import type { Detector } from "../../src/model/detector.ts";
import { openDetector, type PoolOptions } from "../../src/model/detector-pool.ts";
import { defaultModelFolder } from "../support/model.ts";
import { drawPicture } from "./support/pictures.ts";
import { watchWorkers, type Workers } from "./support/workers.ts";

/** The orders of support/unruly-thread.ts, which cannot be imported here: it is a thread. */
const [FINE, LOOP, CRASH] = [12, 13, 17].map((width) => drawPicture(width, 8, 1)) as [
  ReturnType<typeof drawPicture>,
  ReturnType<typeof drawPicture>,
  ReturnType<typeof drawPicture>,
];
const failsWith = (code: string): unknown => expect.objectContaining({ code });

let workers: Workers;
let losses: MultiboxError[];
let pool: Detector | undefined;
const open = async (options: Partial<PoolOptions> = {}): Promise<Detector> => {
  pool = await openDetector({
    folder: defaultModelFolder(),
    engine: "onnx:cpu",
    workers: 1,
    maxBatch: 8,
    timeoutMs: 300,
    onDeath: (error) => losses.push(error),
    entry: new URL("./support/unruly-thread.ts", import.meta.url),
    ...options,
  });
  return pool;
};
beforeEach(() => {
  losses = [];
  workers = watchWorkers();
});
afterEach(async () => {
  await pool?.close();
  workers.stop();
  if (workers.alive.length > 0) throw new Error("A closed pool left threads behind, which hold the process.");
});

describe("a batch that never ends", () => {
  test("fails with ENGINE_TIMEOUT, and what waits in line is answered by another thread", async () => {
    const detector = await open();
    const [hung, waiting] = [detector.detect([LOOP, FINE]), detector.detect([FINE])];
    await expect(hung).rejects.toThrow(failsWith("ENGINE_TIMEOUT"));
    expect((await waiting).detections).toEqual([[]]);
    expect(losses).toEqual([failsWith("ENGINE_TIMEOUT")]);
    for (let i = 0; i < 5; i++) await detector.detect([FINE]);
    expect(losses).toHaveLength(1);
  });

  test("costs the other threads nothing, and is counted from when its thread began with it", async () => {
    const detector = await open({ workers: 2 });
    const hung = detector.detect([LOOP]).catch(({ code }: MultiboxError) => code);
    const others = Promise.all(Array.from({ length: 20 }, () => detector.detect([FINE])));
    expect((await others).flatMap(({ detections }) => detections)).toHaveLength(20);
    expect(await hung).toBe("ENGINE_TIMEOUT");
    expect(losses).toHaveLength(1);
  });

  test("does not keep the pool from being closed, nor its thread alive", async () => {
    const detector = await open();
    await expect(detector.detect([LOOP])).rejects.toThrow(failsWith("ENGINE_TIMEOUT"));
    await detector.close();
    expect(workers.alive).toEqual([]);
  }, 30_000);
});

test("a thread that crashes in the midst of a batch is replaced", async () => {
  const detector = await open();
  const [crashed, waiting] = [detector.detect([CRASH]), detector.detect([FINE])];
  await expect(crashed).rejects.toThrow("it was told to");
  expect((await waiting).detections).toEqual([[]]);
  expect(losses).toEqual([failsWith("ENGINE_DIED")]);
});

test("a real network that takes too long is replaced, ends by itself, and the next batch has its time", async () => {
  const detector = await open({ entry: undefined, timeoutMs: 1, workers: 0 });
  const pictures = Array.from({ length: 8 }, (_, i) => drawPicture(640, 360, i));
  await expect(detector.detect(pictures)).rejects.toThrow(failsWith("ENGINE_TIMEOUT"));
  await expect(detector.detect(pictures)).rejects.toThrow(failsWith("ENGINE_TIMEOUT"));
  expect(losses).toHaveLength(2);
});
