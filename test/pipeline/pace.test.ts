// What a detector's last batches say of it: how long one takes, the longest, and how much of the time it worked.
import { expect, test } from "vitest";
import { PaceMeter } from "../../src/pipeline/pace.ts";

/** After batches of these times, each beginning so long after the one before ended. */
function after(times: readonly number[], restMs: number): { meter: PaceMeter; end: number } {
  const meter = new PaceMeter();
  let end = 0;
  for (const ms of times) {
    end += restMs + ms;
    meter.record(ms, end);
  }
  return { meter, end };
}

test("before any batch nothing is known", () => {
  expect(new PaceMeter().pace(1, 1000)).toEqual({ typicalMs: 0, longestMs: 0, busy: 0 });
});

test("the typical time is the median of the last nine, so one slow batch leaves it, and the longest has it", () => {
  const { meter, end } = after([900, 20, 20, 20, 300, 20, 20, 20, 20, 20], 0);
  expect(meter.pace(1, end)).toMatchObject({ typicalMs: 20, longestMs: 300 });
});

test("a detector that is never at rest is busy all the time, one of two slots half of it, and rest since then counts", () => {
  const { meter, end } = after([20, 20, 20, 20, 20], 0);
  expect(meter.pace(1, end).busy).toBe(1);
  expect(meter.pace(2, end).busy).toBe(0.5);
  expect(meter.pace(1, end + 80).busy).toBe(0.5);
});

test("a slow batch is not too much to do where there is rest between the others", () => {
  const { meter, end } = after([20, 20, 20, 20, 300, 20, 20, 20, 20], 46);
  expect(meter.pace(1, end).busy).toBeLessThan(0.6);
});
