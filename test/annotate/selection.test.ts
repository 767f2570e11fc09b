// Which frames are looked at: every nth, so many a second, from here to there.
import { describe, expect, it } from "vitest";
import { createSelection, type SelectionSettings } from "../../src/annotate/selection.ts";

/** Indices that are taken of frames at these times, until the end. */
function taken(settings: SelectionSettings, times: readonly number[]): number[] {
  const select = createSelection(settings);
  const indices: number[] = [];
  for (const [index, time] of times.entries()) {
    const choice = select(index, time);
    if (choice === "end") break;
    if (choice === "take") indices.push(index);
  }
  return indices;
}

const at = (rate: number, count: number, first = 0): number[] =>
  Array.from({ length: count }, (_, i) => first + i / rate);

describe("a selection", () => {
  it("takes every frame, or every nth", () => {
    expect(taken({}, at(25, 5))).toEqual([0, 1, 2, 3, 4]);
    expect(taken({ every: 3 }, at(25, 8))).toEqual([0, 3, 6]);
  });

  it("takes so many a second, whatever the frame rate: on average exactly, and none twice", () => {
    for (const rate of [30, 30_000 / 1001, 24])
      expect(taken({ fps: 10 }, at(rate, rate * 4)).length).toBeCloseTo(40, -0.5);
    expect(taken({ fps: 25 }, at(25, 100))).toHaveLength(100);
    expect(taken({ fps: 50 }, at(25, 100))).toHaveLength(100);
    // A gap is not made up for.
    expect(taken({ fps: 10 }, [0, 0.05, 0.1, 3, 3.01, 3.1])).toEqual([0, 2, 3, 5]);
  });

  it("counts start and end from the first frame, and ends there", () => {
    expect(taken({ start: 0.2, end: 0.4 }, at(10, 10, 1234.5))).toEqual([2, 3]);
    expect(taken({ start: 0.2, end: 0.6, every: 2 }, at(10, 10, -3))).toEqual([2, 4]);
  });
});
