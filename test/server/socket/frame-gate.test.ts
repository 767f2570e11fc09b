// What a client is spared on its own wish: frames above its rate, and frames on which nothing has changed.
import { describe, expect, test } from "vitest";
import { FrameGate, hasChanged } from "../../../src/server/socket/frame-gate.ts";
import type { Detections } from "../../../src/server/protocol.ts";

type Found = Detections["detections"];
const at = (label: string, x: number, width = 100): Found[number] => ({
  label,
  classId: 1,
  score: 0.5,
  bbox: [x, 0, width, 100],
});
const passed = (gate: FrameGate, times: readonly number[], of: (time: number) => Found = () => []): number[] =>
  times.filter((time) => gate.lets(time, of(time)));
const every = (ms: number, count: number): number[] => Array.from({ length: count }, (_, i) => i * ms);

describe("maxFps", () => {
  test.each([
    [25, 10],
    [25, 24],
    [30, 7],
    [10, 25],
  ])("of a camera with %d frames a second lets %d through, or all there are", (camera, maxFps) => {
    const times = every(1000 / camera, camera * 60);
    const count = passed(new FrameGate({ maxFps }), times).length / 60;
    expect(count).toBeCloseTo(Math.min(camera, maxFps), 0);
  });

  test("does not save up over a pause, nor wait for a clock that went back", () => {
    const gate = new FrameGate({ maxFps: 1 });
    expect(passed(gate, [0, 500, 60_000, 60_100, 60_999, 61_000, 30_000, 30_500, 31_000])).toEqual([
      0, 60_000, 61_000, 30_000, 31_000,
    ]);
  });
});

describe("changesOnly", () => {
  test("a change is another number of a label, or a box that stands elsewhere; scores and order are none", () => {
    expect(hasChanged([at("car", 0), at("dog", 0)], [{ ...at("dog", 0), score: 0.9 }, at("car", 10)])).toBe(false);
    expect(hasChanged([at("car", 0)], [])).toBe(true);
    expect(hasChanged([at("car", 0)], [at("dog", 0)])).toBe(true);
    // 100 wide and 20 further: 80 of 120 are shared.
    expect(hasChanged([at("car", 0)], [at("car", 20)])).toBe(true);
    expect(hasChanged([at("car", 0)], [at("car", 17)])).toBe(false);
    // Two boxes cannot both stand where one was.
    expect(hasChanged([at("car", 0), at("car", 500)], [at("car", 0), at("car", 1)])).toBe(true);
  });

  test("compares with the frame that was sent, so that what creeps is noticed", () => {
    const gate = new FrameGate({ changesOnly: true });
    expect(passed(gate, every(1, 60), (time) => [at("car", time)])).toEqual([0, 18, 36, 54]);
  });

  test("with maxFps, a change that comes too early is sent when it is time", () => {
    const gate = new FrameGate({ changesOnly: true, maxFps: 10 });
    expect(passed(gate, every(20, 20), (time) => (time >= 40 ? [at("car", 0)] : []))).toEqual([0, 100]);
  });
});
