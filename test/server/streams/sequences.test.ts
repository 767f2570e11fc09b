// `seq` over restarts: a number that a frame has had is never given again, whenever the process ends.
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { Sequences } from "../../../src/server/streams/sequences.ts";
import { openStore } from "../../../src/server/store.ts";
import { fc } from "../../support/fast-check.ts";

const silent = pino({ level: "silent" });
const use = (sequences: Sequences, stream: string, seq: number): void =>
  sequences.used({ frame: { stream } as never, seq });

describe("numbers", () => {
  test("begin with 0, go on after an end in good order, and after a stream was removed and added", () => {
    const store = openStore(":memory:");
    const first = new Sequences(store, silent);
    expect(first.first("a")).toBe(0);
    for (let seq = 0; seq < 7; seq++) use(first, "a", seq);
    expect(first.first("a")).toBe(7);
    first.close();
    expect(new Sequences(store, silent).first("a")).toBe(7);
    store.close();
  });

  test("are given once, however many frames there are between crashes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1200 }), { minLength: 1, maxLength: 6 }), (lives) => {
        const store = openStore(":memory:");
        let last = -1;
        for (const frames of lives) {
          // It ends without a close.
          const sequences = new Sequences(store, silent);
          const first = sequences.first("a");
          expect(first).toBeGreaterThan(last);
          expect(first - last).toBeLessThanOrEqual(501);
          last = first - 1;
          for (let seq = first; seq < first + frames; seq++) use(sequences, "a", (last = seq));
        }
        store.close();
      }),
      { numRuns: 40 },
    );
  });

  test("go on when the database can no longer be written", () => {
    const store = openStore(":memory:");
    const sequences = new Sequences(store, silent);
    expect(sequences.first("a")).toBe(0);
    store.close();
    for (let seq = 0; seq < 1000; seq++) use(sequences, "a", seq);
  });
});
