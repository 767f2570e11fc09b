// Times of a file through the coded clock and back, and the rule for jumps.
import { expect, it } from "vitest";
import { clockTimeBase, createFileClock, longestStep } from "../../src/pipeline/file-clock.ts";

/** As the filter encodes them. */
function coded(times: readonly number[]): number[] {
  let last = 0;
  return times.map((time, i) => {
    const step = time - times[Math.max(0, i - 1)]!;
    last = i === 0 ? 2 * time : last + (step > 0 ? 2 * step : 1 - 2 * step);
    return last;
  });
}

const read = (times: readonly number[], leapTicks = 100): [ticks: number, sourceTicks: number, from?: number][] => {
  const clock = createFileClock({ leapTicks, frameTicks: 4 });
  return coded(times).map((code) => {
    const { ticks, sourceTicks, jumpedFrom } = clock(code);
    return jumpedFrom === undefined ? [ticks, sourceTicks] : [ticks, sourceTicks, jumpedFrom];
  });
};

it("keeps times that rise, begin below 0 or are equal", () => {
  expect(read([-7, 0, 5, 5, 6])).toEqual([-7, 0, 5, 5, 6].map((time) => [time, time]));
});

it("begins a segment one step after the last frame where the clock goes back", () => {
  expect(read([10, 13, 16, 10, 13, 2])).toEqual([
    [10, 10],
    [13, 13],
    [16, 16],
    [19, 10, 16],
    [22, 13],
    [25, 2, 13],
  ]);
});

it("takes a frame's duration for a jump before there was any step", () => {
  expect(read([10, 1])).toEqual([
    [10, 10],
    [14, 1, 10],
  ]);
});

it("begins a segment where the clock leaps ahead by more than the longest step", () => {
  expect(read([0, 5, 105, 206])).toEqual([
    [0, 0],
    [5, 5],
    [105, 105],
    [205, 206, 105],
  ]);
});

it("keeps every tick up to the limits of MPEG-TS", () => {
  const wrap = 2 ** 33;
  expect(read([wrap - 1, 3, wrap - 2, 0], Number.POSITIVE_INFINITY).map(([, source]) => source)).toEqual([
    wrap - 1,
    3,
    wrap - 2,
    0,
  ]);
});

it("expects leaps of formats that have them", () => {
  expect([longestStep("mpegts"), longestStep("mov"), longestStep(undefined)]).toEqual([10, 108_000, 108_000]);
});

it("reads the length of a tick from what showinfo prints", () => {
  const line = "[Parsed_showinfo_2 @ 0x55f7] [info] config in time_base: 1/16000, frame_rate: 30000/1001";
  expect([clockTimeBase(line), clockTimeBase("[info]   time_base: 1/2")]).toEqual([[1, 16000], undefined]);
});
