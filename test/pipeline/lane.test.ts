// A lane's detector is replaced between two batches: no frame is lost or detected twice, and versions change once.
import { describe, expect, test } from "vitest";
import { Lane } from "../../src/pipeline/lane.ts";
import { createFrames, createPool, laneOptions } from "../support/lane-options.ts";
import { ManualDetector, settled } from "../support/manual-detector.ts";
import { fc } from "../support/fast-check.ts";

describe("a lane", () => {
  test("feeds its detector as many batches as it takes at once, and reports each", async () => {
    const detector = new ManualDetector("1", { slots: 2, maxBatch: 2 });
    const options = laneOptions();
    const lane = new Lane(detector, options);
    const frame = createFrames();
    for (const name of ["a0", "b0", "a1", "b1", "a2"]) lane.push(frame(name));
    expect(detector.sizes).toEqual([1, 1]);
    await detector.answer();
    expect(detector.sizes).toEqual([1, 2]);
    await detector.answer();
    await detector.answer();
    await detector.answer();
    expect(options.seen).toEqual(["a0@1", "b0@1", "a1@1", "b1@1", "a2@1"]);
    expect(options.reports.map(({ size, maxBatch }) => `${size}/${maxBatch}`)).toEqual(["1/2", "1/2", "2/2", "1/2"]);
    await lane.close();
  });

  test("gives back the frames of one stream that wait", () => {
    const lane = new Lane(new ManualDetector("1"), laneOptions());
    const frame = createFrames();
    const frames = ["a0", "a1", "b0", "a2"].map(frame);
    for (const each of frames) lane.push(each);
    expect(lane.withdraw("a")).toEqual([frames[1], frames[3]]);
  });

  test("detects what waits before it is closed", async () => {
    const detector = new ManualDetector("1", { maxBatch: 1 });
    const options = laneOptions();
    const lane = new Lane(detector, options);
    const frame = createFrames();
    lane.push(frame("a0"));
    lane.push(frame("a1"));
    let closed = false;
    void lane.close().then(() => (closed = true));
    await detector.answer();
    expect(closed).toBe(false);
    await detector.answer();
    expect(closed).toBe(true);
    expect(options.seen).toEqual(["a0@1", "a1@1"]);
  });
});

describe("a swap", () => {
  test("sends the next batch to the new detector, and the old one's frames come out first", async () => {
    const [old, next] = [new ManualDetector("1", { maxBatch: 1 }), new ManualDetector("2", { maxBatch: 1 })];
    const options = laneOptions();
    const lane = new Lane(old, options);
    const frame = createFrames();
    for (const name of ["a0", "b0", "a1"]) lane.push(frame(name));
    let idle: unknown;
    void lane.swap(next).then((detector) => (idle = detector));
    // The old one is busy with a0; the new one need not wait for it.
    expect([old.sizes, next.sizes]).toEqual([[1], [1]]);
    await next.answer();
    await next.answer();
    expect(options.seen).toEqual(["b0@2"]);
    expect(idle).toBeUndefined();
    await old.answer();
    expect(options.seen).toEqual(["b0@2", "a0@1", "a1@2"]);
    expect(idle).toBe(old);
  });

  test("of an idle detector is done at once, and back again to the first works too", async () => {
    const [one, two] = [new ManualDetector("1"), new ManualDetector("2", { slots: 2 })];
    const options = laneOptions();
    const lane = new Lane(one, options);
    const frame = createFrames();
    expect(await lane.swap(two)).toBe(one);
    lane.push(frame("a0"));
    lane.push(frame("a1"));
    lane.push(frame("a2"));
    expect(two.sizes).toEqual([1, 1]);
    const idle = lane.swap(one);
    expect([one.sizes, two.sizes]).toEqual([[1], [1, 1]]);
    await two.answer();
    await two.answer();
    expect(await idle).toBe(two);
    await one.answer();
    expect(options.seen).toEqual(["a0@2", "a1@2", "a2@1"]);
  });

  test("a batch that fails in the old one does not keep it from being idle", async () => {
    const [old, next] = [new ManualDetector("1"), new ManualDetector("2")];
    const options = laneOptions();
    const lane = new Lane(old, options);
    lane.push(createFrames()("a0"));
    const idle = lane.swap(next);
    await old.fail(new Error("broken"));
    expect(await idle).toBe(old);
    expect(options.seen).toEqual(["a0 ENGINE_FAILED"]);
  });

  test("at any moment: every frame comes out once, in order, and each stream's version changes once", async () => {
    const step = fc.constantFrom("a", "b", "c", "old", "new");
    const options = { slots: fc.integer({ min: 1, max: 3 }), maxBatch: fc.integer({ min: 1, max: 4 }) };
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.nat(60),
        fc.record(options),
        fc.record(options),
        async (steps, at, first, second) => {
          const [old, next] = [new ManualDetector("1", first), new ManualDetector("2", second)];
          const told = laneOptions();
          const pool = createPool();
          const frame = createFrames(pool);
          const lane = new Lane(old, told);
          const pushed: Record<string, number> = { a: 0, b: 0, c: 0 };
          let idle: Promise<unknown> | undefined;
          for (const [i, name] of [...steps, "end"].entries()) {
            if (i === Math.min(at, steps.length)) idle = lane.swap(next);
            const detector = name === "old" ? old : name === "new" ? next : undefined;
            if (name in pushed) lane.push(frame(`${name}${pushed[name]!++}`));
            else if (detector && detector.sizes.length > 0) await detector.answer(i % detector.sizes.length);
            expect(old.sizes.length).toBeLessThanOrEqual(first.slots);
            expect(next.sizes.length).toBeLessThanOrEqual(second.slots);
          }
          while (old.sizes.length > 0) await old.answer();
          while (next.sizes.length > 0) await next.answer();
          expect(await idle).toBe(old);
          await settled();
          for (const [stream, count] of Object.entries(pushed)) {
            const mine = told.seen.filter((name) => name.startsWith(stream));
            expect(mine.map((name) => name.split("@")[0])).toEqual(
              Array.from({ length: count }, (_, i) => `${stream}${i}`),
            );
            const versions = mine.map((name) => name.split("@")[1]);
            expect(versions.lastIndexOf("1")).toBeLessThan(versions.includes("2") ? versions.indexOf("2") : Infinity);
          }
          expect(pool.lent).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
