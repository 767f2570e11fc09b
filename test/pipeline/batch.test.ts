// The batcher: who gets into a batch, when it goes, and what is dropped on the way. Time is a marble diagram.
import { Subject } from "rxjs";
import { TestScheduler } from "rxjs/testing";
import { describe, expect, it } from "vitest";
import { Batcher, type BatchOptions } from "../../src/pipeline/batch.ts";
import { type Frame, FramePool } from "../../src/pipeline/frame.ts";
import type { Pace } from "../../src/pipeline/pace.ts";

/** Of a detector that never rests. */
const steady = (ms: number): Pace => ({ typicalMs: ms, longestMs: ms, busy: 1 });

const COLOUR = { matrix: "bt601", fullRange: false } as const;

/** Frames by name: the letter is the stream, the digit the index; capital letters are files that are played once. */
function createFrames(names: string): { frames: Record<string, Frame>; pool: FramePool } {
  const pool = new FramePool(2, 2, COLOUR, 100);
  const frames: Record<string, Frame> = {};
  for (const name of names.split(" ")) {
    const live = name[0] === name[0]!.toLowerCase();
    frames[name] = pool.tryTake()!.commit({ stream: name[0]!, index: Number(name[1]), pts: 0, time: 0, live });
  }
  return { frames, pool };
}

const nameOf = ({ stream, index }: Frame): string => `${stream}${index}`;

const DEFAULTS = {
  maxBatch: () => 3,
  maxDelayMs: 10,
  maxAgeMs: 1000,
  pace: () => steady(1000),
  weightOf: () => 1,
};

/** Marbles of frames and of the engine's grants in, marbles of batches out, with what was dropped. */
function run(
  list: string,
  { input, free, output }: { input: string; free: string; output: string },
  batches: Record<string, string>,
  options: Partial<BatchOptions> = {},
): string[] {
  const { frames } = createFrames(list);
  const dropped: string[] = [];
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run(({ hot, expectObservable }) => {
    const keys = Object.fromEntries(list.split(" ").map((name, i) => [String.fromCharCode(97 + i), frames[name]!]));
    const batcher = new Batcher({
      ...DEFAULTS,
      now: () => scheduler.now(),
      scheduler,
      onDrop: (frame, cause) => dropped.push(`${nameOf(frame)} ${cause}`),
      ...options,
    });
    const named = new Subject<string>();
    batcher.batches.subscribe({
      next: (batch) => named.next(batch.map(({ frame }) => nameOf(frame)).join(" ")),
      complete: () => named.complete(),
    });
    hot(input, keys).subscribe({ next: (frame) => batcher.add(frame), complete: () => batcher.end() });
    hot(free).subscribe(() => batcher.grant(1));
    expectObservable(named).toBe(output, batches);
  });
  return dropped;
}

describe("Batcher", () => {
  it("sends a lone stream's frame at once: there is nobody to wait for", () => {
    const dropped = run("a0 a1", { input: "a 39ms b", free: "(xx)", output: "x 39ms y" }, { x: "a0", y: "a1" });
    expect(dropped).toEqual([]);
  });

  it("sends nothing while the engine is busy, and then a live stream's newest frame alone", () => {
    const dropped = run("a0 a1 a2", { input: "abc", free: "-----x", output: "-----x" }, { x: "a2" });
    expect(dropped).toEqual(["a0 superseded", "a1 superseded"]);
  });

  it("drops nothing of a file: its frames wait in order", () => {
    const dropped = run(
      "A0 A1 A2 A3",
      { input: "abcd", free: "-----x-x", output: "-----x-y" },
      { x: "A0 A1 A2", y: "A3" },
    );
    expect(dropped).toEqual([]);
  });

  // Both streams have 50 frames a second, b 5 ms after a. The rhythm of b is known from its second frame on.
  const names = "a0 b0 a1 b1 a2 b2";
  const known = { a: "a0", b: "b0", c: "a1", d: "b1" };

  it("waits for another stream whose next frame is due before the oldest one has waited too long", () => {
    const input = "a 4ms b 14ms c 4ms d 14ms e 4ms f";
    const output = "a 4ms b 14ms c 4ms d 19ms x";
    expect(run(names, { input, free: "(xxxxxx)", output }, { ...known, x: "a2 b2" })).toEqual([]);
  });

  it("waits no longer than maxDelayMs from the oldest frame", () => {
    const input = "a 4ms b 14ms c 4ms d 14ms e 34ms f";
    const output = "a 4ms b 14ms c 4ms d 24ms x 24ms y";
    expect(run(names, { input, free: "(xxxxxx)", output }, { ...known, x: "a2", y: "b2" })).toEqual([]);
  });

  it("does not wait for a stream that has fallen silent", () => {
    const input = "a 4ms b 14ms c 4ms d 114ms e";
    const output = "a 4ms b 14ms c 4ms d 114ms x";
    expect(run("a0 b0 a1 b1 a2", { input, free: "(xxxxxx)", output }, { ...known, x: "a2" })).toEqual([]);
  });

  it("sends a full batch at once", () => {
    const input = "a 4ms b 14ms c 4ms d 14ms (efg)";
    const output = "a 4ms b 14ms c 4ms d 14ms x";
    expect(run("a0 b0 a1 b1 a2 c0 d0", { input, free: "(xxxxxx)", output }, { ...known, x: "c0 d0 a2" })).toEqual([]);
  });

  it("takes one frame a stream while others wait, the longest waiting first, so that a file does not starve a camera", () => {
    const marbles = { input: "abcde", free: "------x-x", output: "------x-y" };
    expect(run("A0 A1 A2 A3 b0", marbles, { x: "A0 b0 A1", y: "A2 A3" })).toEqual([]);
  });

  it("keeps the turn of a camera whose waiting frame is superseded, while a file's frames grow old", () => {
    const marbles = { input: "abcd---e", free: "------x-x-x", output: "------x-y-z" };
    const batches = { x: "A0", y: "b1", z: "A1" };
    expect(run("A0 A1 A2 b0 b1", marbles, batches, { maxBatch: () => 1 })).toEqual(["b0 superseded"]);
  });

  it("sends what waits when the frames end, and completes when it is gone", () => {
    const marbles = { input: "(abcd|)", free: "---x-x", output: "---x-(y|)" };
    expect(run("A0 A1 A2 A3", marbles, { x: "A0 A1 A2", y: "A3" })).toEqual([]);
  });

  it("drops a live frame that is too old when its turn comes, and takes a newer one of another stream", () => {
    const marbles = { input: "a 99ms b", free: "110ms x", output: "110ms x" };
    const options = { maxAgeMs: 50, pace: () => steady(0) };
    expect(run("a0 b0", marbles, { x: "b0" }, options)).toEqual(["a0 stale"]);
    expect(run("A0 b0", marbles, { x: "A0 b0" }, options)).toEqual([]);
  });

  it("keeps the engine's word for the next frame when all that waited was too old", () => {
    const marbles = { input: "a 99ms b", free: "90ms x", output: "100ms y" };
    expect(run("a0 b0", marbles, { y: "b0" }, { maxAgeMs: 50, pace: () => steady(0) })).toEqual(["a0 stale"]);
  });

  it("takes a frame that is no older than a batch takes, however low the bound", () => {
    const marbles = { input: "a", free: "90ms x", output: "90ms x" };
    expect(run("a0", marbles, { x: "a0" }, { maxAgeMs: 50, pace: () => steady(80) })).toEqual([]);
  });

  // a and b wait for 60 ms, three others for 5; a batch takes 30 ms, and there is room for three.
  const crowd = "a0 b0 c0 d0 e0";
  const late = { input: "(ab) 51ms (cde)", free: "60ms x", output: "60ms x" };

  it("drops those that had their chance while more wait than it takes, so that delays do not add up", () => {
    expect(run(crowd, late, { x: "c0 d0 e0" }, { pace: () => steady(30) })).toEqual(["a0 stale", "b0 stale"]);
  });

  it("drops none of them for a hiccup, which the detector's rest between batches tells", () => {
    const pace = () => ({ ...steady(30), busy: 0.5 });
    expect(run(crowd, late, { x: "a0 b0 c0" }, { pace })).toEqual([]);
  });

  it("drops those as well that would be late in a batch as long as the longest of late, if fresher ones fill it", () => {
    const pace = () => ({ ...steady(60), longestMs: 130 });
    expect(run(crowd, late, { x: "c0 d0 e0" }, { pace })).toEqual(["a0 stale", "b0 stale"]);
    const fewer = { ...late, input: "(ab) 51ms (cd)" };
    expect(run("a0 b0 c0 d0", fewer, { x: "a0 b0 c0" }, { pace })).toEqual([]);
  });

  it("releases superseded frames, and gives those that wait back to who withdraws them", () => {
    const { frames, pool } = createFrames("a0 a1 b0");
    const dropped: string[] = [];
    const batcher = new Batcher({
      ...DEFAULTS,
      now: () => 0,
      onDrop: (frame, cause) => dropped.push(`${nameOf(frame)} ${cause}`),
    });
    for (const frame of Object.values(frames)) batcher.add(frame);
    expect(pool.lent).toBe(2);
    expect(batcher.withdraw("a")).toEqual([frames["a1"]]);
    expect(batcher.withdraw("a")).toEqual([]);
    expect(dropped).toEqual(["a0 superseded"]);
    const seen: string[] = [];
    batcher.batches.subscribe((batch) => seen.push(batch.map(({ frame }) => nameOf(frame)).join(" ")));
    batcher.grant(1);
    expect(seen).toEqual(["b0"]);
  });
});
