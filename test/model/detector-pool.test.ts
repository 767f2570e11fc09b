// A detector in worker threads: the same answers, many calls at once, and what happens when a thread dies or it is closed.
import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { MultiboxError } from "../../src/errors.ts";
import type { Detection, Picture } from "../../src/model/detection.ts";
import { createDetector, type Detector } from "../../src/model/detector.ts";
import { openDetector, type PoolOptions } from "../../src/model/detector-pool.ts";
import { openEngine } from "../../src/model/engines/open.ts";
import { defaultBundle, defaultModelFolder } from "../support/model.ts";
import { expectSame } from "./support/detections.ts";
import { drawPicture } from "./support/pictures.ts";
import { watchWorkers, type Workers } from "./support/workers.ts";

const PICTURES = [drawPicture(640, 360, 1), drawPicture(90, 500, 3), drawPicture(301, 299, 5)];
const failsWith = (code: string): unknown => expect.objectContaining({ name: "MultiboxError", code });

let workers: Workers;
let deaths: MultiboxError[];
const opened: Detector[] = [];
const open = async (options: Partial<PoolOptions> = {}): Promise<Detector> => {
  const folder = defaultModelFolder();
  const onDeath = (error: MultiboxError): void => void deaths.push(error);
  const pool = await openDetector({ folder, engine: "auto", workers: 0, maxBatch: 8, onDeath, ...options });
  opened.push(pool);
  return pool;
};
const detect = async (pool: Detector, ...pictures: Picture[]): Promise<Detection[][]> =>
  (await pool.detect(pictures)).detections;

/** What each of the pictures holds, by a detector in this thread. */
let wanted: Detection[][];
beforeAll(async () => {
  const bundle = await defaultBundle();
  const detector = createDetector(bundle, await openEngine("auto", bundle, { threads: 0 }), { maxBatch: 8 });
  wanted = await detect(detector, ...PICTURES);
  await detector.close();
});
beforeEach(() => {
  deaths = [];
  workers = watchWorkers();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close()));
  workers.stop();
  if (workers.alive.length > 0) throw new Error("A closed pool left threads behind, which hold the process.");
});

describe("a pool", () => {
  test("of one worker finds what the detector in this thread finds, in mixed sizes and in shared memory too", async () => {
    const pool = await open();
    expect(pool.info.engine).toMatch(/^onnx:cpu, \d+ threads?$/);
    expect([pool.slots, pool.maxBatch, workers.alive.length]).toEqual([1, 8, 1]);
    await pool.warmUp();
    const shared = PICTURES.map((picture) => {
      const data = new Uint8Array(new SharedArrayBuffer(picture.data.length));
      data.set(picture.data);
      return { ...picture, data };
    });
    for (const pictures of [PICTURES, shared]) {
      const found = await detect(pool, ...pictures);
      for (const [i, detections] of wanted.entries()) expectSame(found[i]!, detections);
    }
  });

  test("of two workers answers five calls at once, each with its own detections", async () => {
    const pool = await open({ workers: 2 });
    expect(pool.info.engine).toBe("onnx:cpu, 1 thread in each of 2 workers");
    expect([pool.slots, workers.alive.length]).toEqual([2, 2]);
    const calls = [0, 1, 2, 0, 1];
    const found = await Promise.all(calls.map((i) => detect(pool, PICTURES[i]!)));
    for (const [call, i] of calls.entries()) expectSame(found[call]![0]!, wanted[i]!);
  });

  test("hands on how to post-process", async () => {
    const pool = await open({ postProcess: { maxDetections: 1 } });
    const found = await detect(pool, ...PICTURES);
    for (const [i, detections] of wanted.entries()) expectSame(found[i]!, detections.slice(0, 1));
    expect(found.flat().length).toBeGreaterThan(0);
  });

  test("hands on the threshold, and errors with their code", async () => {
    const pool = await open({ maxBatch: 2, minScore: 0.99 });
    expect(await detect(pool, ...PICTURES.slice(0, 2))).toEqual([[], []]);
    await expect(pool.detect(PICTURES)).rejects.toThrow(failsWith("BATCH_TOO_LARGE"));
    expect(await detect(pool)).toEqual([]);
  });

  test("lives beside another, and is closed without it", async () => {
    const [one, other] = await Promise.all([open({ workers: 1 }), open({ workers: 1 })]);
    const found = await Promise.all([detect(one, PICTURES[0]!), detect(other, PICTURES[1]!)]);
    expectSame(found[0][0]!, wanted[0]!);
    expectSame(found[1][0]!, wanted[1]!);
    await one.close();
    const [after] = await detect(other, PICTURES[2]!);
    expect(after!.length).toBe(wanted[2]!.length);
    expectSame(after!, wanted[2]!);
  });
});

describe("when it is closed", () => {
  test("calls that were not answered fail with ENGINE_CLOSED, those in work and those in line", async () => {
    const pool = await open();
    const calls = [detect(pool, ...PICTURES), detect(pool, PICTURES[0]!)];
    const outcomes = Promise.allSettled(calls);
    await pool.close();
    expect(await outcomes).toEqual([
      { status: "rejected", reason: failsWith("ENGINE_CLOSED") },
      { status: "rejected", reason: failsWith("ENGINE_CLOSED") },
    ]);
    expect(deaths).toEqual([]);
  });

  test("later calls fail with ENGINE_CLOSED, and closing again is nothing", async () => {
    const pool = await open();
    await Promise.all([pool.close(), pool.close()]);
    await pool.close();
    await expect(pool.detect(PICTURES)).rejects.toThrow(failsWith("ENGINE_CLOSED"));
    await expect(pool.warmUp()).rejects.toThrow(failsWith("ENGINE_CLOSED"));
    expect(workers.alive).toEqual([]);
  });
});

describe("when a worker dies", () => {
  test("its batch fails with ENGINE_DIED, it is replaced, and what waits in line is answered", async () => {
    const pool = await open();
    const [died, waiting] = [pool.detect(PICTURES), detect(pool, PICTURES[0]!)];
    const outcome = died.catch((error: unknown) => error);
    await workers.alive[0]!.terminate();
    expect(await outcome).toEqual(failsWith("ENGINE_DIED"));
    expectSame((await waiting)[0]!, wanted[0]!);
    expect(deaths).toEqual([failsWith("ENGINE_DIED")]);
    expect(workers.alive).toHaveLength(1);
  });

  test("while it is idle, the next call is answered by its replacement", async () => {
    const pool = await open();
    await workers.alive[0]!.terminate();
    expectSame((await detect(pool, PICTURES[1]!))[0]!, wanted[1]!);
    expect(deaths).toHaveLength(1);
  });

  test("the others go on", async () => {
    const pool = await open({ workers: 2 });
    const calls = [0, 1, 2, 0].map((i) => detect(pool, PICTURES[i]!));
    const outcomes = Promise.allSettled(calls);
    await workers.alive[0]!.terminate();
    const settled = (await outcomes).map(({ status }) => status);
    expect(settled.filter((status) => status === "rejected")).toHaveLength(1);
    expect(deaths).toHaveLength(1);
  });
});

describe("a model that is not there", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "multibox-pool-"));
    await cp(defaultModelFolder(), join(folder, "model"), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([0, 2])("fails with MODEL_NOT_FOUND and leaves no thread, workers: %d", async (count) => {
    const missing = open({ folder: join(folder, "nothing"), workers: count });
    await expect(missing).rejects.toThrow(failsWith("MODEL_NOT_FOUND"));
    expect(workers.alive).toEqual([]);
  });

  test("any more when a worker is replaced: calls say so instead of waiting, until it is back", async () => {
    const pool = await open({ folder: join(folder, "model") });
    await rename(join(folder, "model"), join(folder, "gone"));
    await workers.alive[0]!.terminate();
    await expect(pool.detect(PICTURES)).rejects.toThrow(failsWith("MODEL_NOT_FOUND"));
    await expect(pool.detect(PICTURES)).rejects.toThrow(failsWith("MODEL_NOT_FOUND"));
    expect(deaths).toHaveLength(1);
    await rename(join(folder, "gone"), join(folder, "model"));
    expectSame((await detect(pool, PICTURES[0]!))[0]!, wanted[0]!);
  });
});
