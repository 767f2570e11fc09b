// `seq` over restarts: a number that a frame has had is never given again, whenever the process ends.
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { Sequences } from "../../../src/server/streams/sequences.ts";
import { callOf } from "../../../src/server/database/database-thread.ts";
import type { StoreOperations } from "../../../src/server/database/store-operations.ts";
import { fc } from "../../support/fast-check.ts";
import { memoryStore } from "../../support/memory-store.ts";

const silent = pino({ level: "silent" });
const use = (sequences: Sequences, stream: string, seq: number): void =>
  sequences.used({ frame: { stream } as never, seq });

describe("numbers", () => {
  test("begin with 0, go on after an end in good order, and after a stream was removed and added", async () => {
    const store = memoryStore();
    const first = await Sequences.load(store, silent);
    expect(first.first("a")).toBe(0);
    for (let seq = 0; seq < 7; seq++) use(first, "a", seq);
    expect(first.first("a")).toBe(7);
    first.close();
    expect((await Sequences.load(store, silent)).first("a")).toBe(7);
    await store.close();
  });

  test("are given once, however many frames there are between crashes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 1200 }), { minLength: 1, maxLength: 6 }), async (lives) => {
        const store = memoryStore();
        let last = -1;
        for (const frames of lives) {
          // It ends without a close, when what it has asked for is written.
          const sequences = await Sequences.load(store, silent);
          const first = sequences.first("a");
          expect(first).toBeGreaterThan(last);
          expect(first - last).toBeLessThanOrEqual(501);
          last = first - 1;
          for (let seq = first; seq < first + frames; seq++) use(sequences, "a", (last = seq));
          await callOf<StoreOperations, "sequences">(store, "sequences", undefined);
        }
        await store.close();
      }),
      { numRuns: 40 },
    );
  });

  test("go on when the database can no longer be written", async () => {
    const store = memoryStore();
    const sequences = await Sequences.load(store, silent);
    expect(sequences.first("a")).toBe(0);
    await store.close();
    for (let seq = 0; seq < 1000; seq++) use(sequences, "a", seq);
  });
});
