// What every engine must do, whatever runs the network: one suite, over all of them.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, EngineOptions, Network, RawHeads } from "../../../src/model/engines/engine.ts";
import { type InputNode, outputShapes } from "../../../src/model/graph.ts";
import { defaultBundle } from "../../support/model.ts";
import { worstDifference } from "../support/differences.ts";
import { everyKindOfNode } from "../support/every-kind.ts";
import { goldenOf, goldenPicture, readGolden } from "../support/golden.ts";
import { noisePicture } from "../support/pictures.ts";

const CLOSED = expect.objectContaining({ code: "ENGINE_CLOSED" });

export interface EngineCase {
  /** `onnx:cpu` */
  readonly name: string;
  readonly open: (network: Network, options: EngineOptions) => Promise<Engine>;
  /** How far raw numbers may be from the released graph's. */
  readonly tolerance: number;
  /** Where all engines of a process share their threads, the number that this process was told to use. */
  readonly sharedThreads?: number;
  /** Pictures in each run of the test for leaks; 4 when absent, fewer for slow engines. */
  readonly leakBatch?: number;
  /** For an engine that needs seconds for a picture: only the golden values are the default model's, the rest a tiny network's. */
  readonly slow?: boolean;
  /** How many tensors there are, for an engine that counts them. */
  readonly countTensors?: () => number;
  /** Why this engine cannot run here; it is then skipped by name. */
  readonly missing?: string;
}

/** The suite, on the default model unless the engine is slow. */
export function describeEngine(engineCase: EngineCase): void {
  const { name, open, tolerance, missing, sharedThreads, leakBatch = 4, countTensors, slow = false } = engineCase;
  describe.skipIf(missing !== undefined)(`the engine ${name}${missing === undefined ? "" : ` (${missing})`}`, () => {
    let network: Network;
    let engine: Engine;
    let batch: Uint8Array;
    let sizes: Sizes;
    beforeAll(async () => {
      network = slow ? everyKindOfNode() : await defaultBundle();
      sizes = sizesOf(network);
      engine = await open(network, { threads: 0, precision: "fp32" });
      batch = new Uint8Array(8 * sizes.picture);
      for (let i = 0; i < 8; i++) batch.set(noisePicture(sizes.width, sizes.height, i).data, i * sizes.picture);
    });
    afterAll(() => engine.close());

    test("says its name and its threads", async () => {
      expect(engine.description).toMatch(new RegExp(`^${name}, \\d+ threads?$`));
      const single = await open(network, { threads: 1, precision: "fp32" });
      try {
        const threads = sharedThreads ?? 1;
        expect(single.description).toBe(`${name}, ${threads} ${threads === 1 ? "thread" : "threads"}`);
      } finally {
        await single.close();
      }
    });

    test("gives the golden values of the released graph", async () => {
      const golden = await readGolden();
      const released = slow ? await open(await defaultBundle(), { threads: 0, precision: "fp32" }) : engine;
      const { offsets, logits } = goldenOf(await released.run(goldenPicture().data, 1));
      if (slow) await released.close();
      expect(worstDifference(offsets, golden.offsets)).toBeLessThan(tolerance);
      expect(worstDifference(logits, golden.logits)).toBeLessThan(tolerance);
    });

    test.each([1, 3, 8])("answers a batch of %d as it answers its pictures one by one", async (n) => {
      const together = copy(await engine.run(batch, n));
      expect(together.offsets).toHaveLength(n * sizes.offsets);
      expect(together.logits).toHaveLength(n * sizes.logits);
      for (let i = 0; i < n; i++) {
        const alone = await engine.run(batch.subarray(i * sizes.picture), 1);
        const { offsets, logits } = part(together, i, sizes);
        expect(worstDifference(offsets, alone.offsets), `picture ${i}`).toBeLessThan(tolerance);
        expect(worstDifference(logits, alone.logits), `picture ${i}`).toBeLessThan(tolerance);
      }
    });

    test("keeps nothing of a larger batch that came before", async () => {
      const first = copy(await engine.run(batch, 1));
      await engine.run(batch, 8);
      const again = await engine.run(batch, 1);
      expect(worstDifference(again.offsets, first.offsets)).toBe(0);
      expect(worstDifference(again.logits, first.logits)).toBe(0);
    });

    test("its memory stays flat over 50 runs", async () => {
      const run = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++) await engine.run(batch, leakBatch);
        collectGarbage();
      };
      await run(10);
      const [before, tensors] = [process.memoryUsage.rss(), countTensors?.()];
      await run(50);
      // For each picture of a run, the answers of 50 have 36 MB, what goes in has 13 MB.
      expect(process.memoryUsage.rss() - before).toBeLessThan(30e6);
      expect(countTensors?.()).toBe(tensors);
    });

    test("two of them live side by side, and closing one leaves the other", async () => {
      const other = await open(network, { threads: 1, precision: "fp32" });
      try {
        const before = copy(await engine.run(batch, 1));
        const [ours, theirs] = await Promise.all([engine.run(batch, 1), other.run(batch, 1)]);
        expect(worstDifference(ours.logits, before.logits)).toBeLessThan(tolerance);
        expect(worstDifference(theirs.logits, before.logits)).toBeLessThan(tolerance);
      } finally {
        await other.close();
      }
      expect((await engine.run(batch, 1)).logits).toHaveLength(sizes.logits);
    });

    test("is closed once, however often it is asked to, and then runs no more", async () => {
      const tensors = countTensors?.();
      const own = await open(network, { threads: 1, precision: "fp32" });
      await own.run(batch, 1);
      await Promise.all([own.close(), own.close()]);
      await own.close();
      expect(countTensors?.()).toBe(tensors);
      await expect(own.run(batch, 1)).rejects.toThrow(CLOSED);
    });

    test("a run that it is closed under is answered, or fails with ENGINE_CLOSED", async () => {
      const own = await open(network, { threads: 1, precision: "fp32" });
      const answer = { logits: expect.any(Float32Array) as Float32Array };
      const running = own.run(batch, 1).catch((error: unknown) => error);
      await own.close();
      const outcome = await running;
      expect([CLOSED, expect.objectContaining(answer)]).toContainEqual(outcome);
    });
  });
}

function copy({ offsets, logits }: RawHeads): RawHeads {
  return { offsets: offsets.slice(), logits: logits.slice() };
}

/** How many numbers there are for each picture. */
interface Sizes {
  readonly width: number;
  readonly height: number;
  readonly picture: number;
  readonly offsets: number;
  readonly logits: number;
}

function sizesOf({ graph }: Network): Sizes {
  const [, height, width] = (graph.nodes[0] as InputNode).shape;
  const [, boxes, classes] = outputShapes(graph).logits;
  return { width, height, picture: width * height * 3, offsets: boxes * 4, logits: boxes * classes };
}

/** The heads of one picture of a batch. */
function part({ offsets, logits }: RawHeads, i: number, sizes: Sizes): RawHeads {
  return {
    offsets: offsets.subarray(i * sizes.offsets, (i + 1) * sizes.offsets),
    logits: logits.subarray(i * sizes.logits, (i + 1) * sizes.logits),
  };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
