// Buffers are lent, counted and come back, and misuse is noticed.
import { describe, expect, test } from "vitest";
import { FramePool } from "../../src/pipeline/frame.ts";

const COLOUR = { matrix: "bt601", fullRange: false } as const;
const INFO = { stream: "a", index: 0, pts: 0, time: 0, live: true };
const pool = (capacity: number): FramePool => new FramePool(5, 3, COLOUR, capacity);

test("a buffer is shared memory and holds one picture, odd sizes rounded up for chroma", () => {
  const { data } = pool(1).tryTake()!;
  expect(data).toHaveLength(5 * 3 + 2 * 3 * 2);
  expect(data.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("there are as many buffers as the pool may have, and they are used again", () => {
  const two = pool(2);
  const [first, second] = [two.tryTake()!, two.tryTake()!];
  expect([two.tryTake(), two.lent]).toEqual([undefined, 2]);
  first.giveBack();
  expect(two.lent).toBe(1);
  expect(two.tryTake()!.data).toBe(first.data);
  expect(second.data).not.toBe(first.data);
});

test("a frame's buffer comes back after its last holder", () => {
  const one = pool(1);
  const frame = one.tryTake()!.commit(INFO);
  frame.retain();
  frame.release();
  expect(one.lent).toBe(1);
  frame.release();
  expect(one.lent).toBe(0);
});

test("a frame has its picture's size and colours", () => {
  const { picture } = pool(1).tryTake()!.commit(INFO);
  expect(picture).toMatchObject({ format: "yuv420p", width: 5, height: 3, colour: COLOUR });
});

describe("whenFree", () => {
  test("calls at once when a buffer is free", () => {
    let calls = 0;
    pool(1).whenFree(() => (calls += 1));
    expect(calls).toBe(1);
  });

  test("calls once, in order, one for each buffer that comes back", () => {
    const one = pool(1);
    const calls: string[] = [];
    const slot = one.tryTake()!;
    one.whenFree(() => calls.push("first"));
    one.whenFree(() => calls.push("second"));
    slot.giveBack();
    expect(calls).toEqual(["first"]);
    one.tryTake()!.giveBack();
    one.tryTake()!.giveBack();
    expect(calls).toEqual(["first", "second"]);
  });
});

test("a slot that is used twice and a frame that is released twice or held too late are bugs, and said so", () => {
  const slot = pool(1).tryTake()!;
  const frame = slot.commit(INFO);
  expect(() => slot.giveBack()).toThrow("twice");
  frame.release();
  expect(() => frame.release()).toThrow("twice");
  expect(() => frame.retain()).toThrow("released");
});
