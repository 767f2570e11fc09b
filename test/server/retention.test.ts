// What may go for its age: a tenth an hour, whatever the clock shows and however often the server starts.
import { describe, expect, test } from "vitest";
import { Retention } from "../../src/server/retention.ts";
import { steady } from "../../src/steady-scheduler.ts";

const HOUR = 3_600_000;

/** Deletes all it may of `count` old things every `everyMs`. Returns how many went, by hour. */
function sweptByHour(hours: number, everyMs: number, count: number, maxAgeMs: number, lifeMs = Infinity): number[] {
  let now = 0;
  const make = (): Retention =>
    new Retention({ watch: { now: () => 1e13, heldMs: () => 0 }, maxAgeMs, clock: steady({ now: () => now }) });
  let retention = make();
  const swept = Array.from({ length: hours }, () => 0);
  for (let born = 0; now < hours * HOUR; now += everyMs) {
    if (now - born >= lifeMs) [born, retention] = [now, make()];
    const expired = retention.allowance(count);
    retention.deleted(expired, count);
    swept[Math.floor(now / HOUR)]! += expired;
  }
  return swept;
}

describe("things that are all too old", () => {
  test.each([5000, 60_000, HOUR / 7, HOUR])("go at most by a tenth in any hour, swept every %i ms", (everyMs) => {
    const swept = sweptByHour(10, everyMs, 100_000, 24 * HOUR);
    expect(Math.max(...swept)).toBeLessThanOrEqual(10_000);
    expect(swept.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(everyMs < HOUR / 10 ? 85_000 : 9000);
  });

  test("go no faster when the server starts again and again", () => {
    const swept = sweptByHour(3, 5000, 100_000, 24 * HOUR, 60_000);
    expect(Math.max(...swept)).toBeLessThanOrEqual(10_000);
  });

  test("are followed where things are kept for an hour only, and for no time at all", () => {
    expect(sweptByHour(2, 5000, 1000, HOUR)[1]).toBeGreaterThanOrEqual(1000);
    expect(sweptByHour(1, 5000, 1000, 0)[0]).toBeGreaterThan(100_000);
  });

  test("go one by one where there are few", () => {
    const swept = sweptByHour(24, 60_000, 5, 24 * HOUR);
    expect(Math.max(...swept)).toBe(1);
    expect(swept.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(9);
  });
});

test("nothing goes while the watch holds, and no allowance builds up meanwhile", () => {
  let [now, held] = [0, 1];
  const retention = new Retention({
    watch: { now: () => 1e13, heldMs: () => held },
    maxAgeMs: 24 * HOUR,
    clock: steady({ now: () => now }),
  });
  for (; now < 24 * HOUR; now += 60_000) expect(retention.allowance(100_000)).toBe(0);
  held = 0;
  expect(retention.allowance(100_000)).toBeLessThan(200);
});
