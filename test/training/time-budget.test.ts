// How many epochs a time budget has room for, by steps that take a known time on a clock of the test's own.
import { expect, test } from "vitest";
import type { NamedBatch } from "../../src/training/batches.ts";
import { epochsWithin, MOST_EPOCHS } from "../../src/training/time-budget.ts";

/** Steps of 100 ms, 300 ms the first time that a form of an image is needed, and 5 s more for the very first. */
function run(budget: {
  steps?: number;
  variants?: number;
  leftMs: number;
  validationMs?: number;
  signal?: AbortSignal;
}) {
  const { steps = 10, variants = 0, validationMs = 1000 } = budget;
  let [time, tried] = [0, 0];
  const seen = new Set<number>();
  async function* epoch(_epoch: number, from: number): AsyncGenerator<NamedBatch, void> {
    for (let step = from; step < steps; step++) {
      if (variants > 0 && !seen.has(step)) time += 200;
      seen.add(step);
      yield await Promise.resolve({ inputs: new Map(), targets: [], pictures: [] });
    }
  }
  const gradients = async (): Promise<never> => {
    time += tried === 0 ? 5100 : 100;
    tried += 1;
    return (await Promise.resolve()) as never;
  };
  const epochs = epochsWithin({
    engine: { gradients },
    batches: { steps, epoch },
    variants,
    validationMs,
    ...budget,
    now: () => time,
  });
  return { epochs, tried: () => tried };
}

test("as many epochs as fit with their validation, by a few steps without the first one", async () => {
  const { epochs, tried } = run({ leftMs: 60_000 });
  // 10 steps of 100 ms and 1 s of validation.
  expect([await epochs, tried()]).toEqual([30, 6]);
});

test("where features are kept, the epochs that compute them take longer than those after them", async () => {
  // 4 s for each of the first 3, 2 s for each of the others.
  expect(await run({ variants: 3, leftMs: 60_000 }).epochs).toBe(3 + 24);
  expect(await run({ variants: 3, leftMs: 9000 }).epochs).toBe(2);
});

test("one epoch where there is no room for any, and never more than are of use", async () => {
  expect(await run({ leftMs: -5000 }).epochs).toBe(1);
  expect(await run({ leftMs: 1e9 }).epochs).toBe(MOST_EPOCHS);
  // Of a single step there is only the first one to go by.
  expect(await run({ steps: 1, leftMs: 61_000 }).epochs).toBe(10);
});

test("a signal ends the trial", async () => {
  await expect(run({ leftMs: 1000, signal: AbortSignal.abort() }).epochs).rejects.toMatchObject({
    code: "INTERRUPTED",
  });
});
