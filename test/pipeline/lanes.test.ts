// Models are opened for the first stream that wants them, shared, and closed after the last.
import { expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { Lanes, type LanesOptions } from "../../src/pipeline/lanes.ts";
import { StreamLane } from "../../src/pipeline/stream-lane.ts";
import { createFrames, laneOptions } from "../support/lane-options.ts";
import { ManualDetector, settled } from "../support/manual-detector.ts";

function createLanes(options: Partial<LanesOptions> = {}) {
  const first = new ManualDetector("first");
  const opened: ManualDetector[] = [];
  const told = laneOptions();
  const openModel = (name: string): Promise<ManualDetector> => {
    const detector = new ManualDetector(name);
    opened.push(detector);
    return Promise.resolve(detector);
  };
  const lanes = new Lanes(first, { ...told, maxModels: 3, defaultModel: "first", openModel, ...options });
  return { lanes, first, opened, told };
}
const failsWith = (code: string): unknown => expect.objectContaining({ code });

test("streams that name the same model share its lane, and the last one closes it", async () => {
  const { lanes, opened } = createLanes();
  const [one, two] = await Promise.all([lanes.acquire("b"), lanes.acquire("b")]);
  expect(one).toBe(two);
  expect(opened).toHaveLength(1);
  lanes.release("b");
  await settled();
  expect(opened[0]!.closed).toBe(false);
  lanes.release("b");
  await settled();
  expect(opened[0]!.closed).toBe(true);
  expect(await lanes.acquire("b")).not.toBe(one);
  expect(opened).toHaveLength(2);
});

test("the default model is always open, by its name too, and is not the lanes' to close", async () => {
  const { lanes, first, opened } = createLanes();
  expect(await lanes.acquire(undefined)).toBe(await lanes.acquire("first"));
  lanes.release(undefined);
  lanes.release("first");
  await lanes.close();
  expect([first.closed, opened]).toEqual([false, []]);
});

test("a model that cannot be opened is tried again by the next who asks", async () => {
  let attempts = 0;
  const openModel = (): Promise<ManualDetector> => {
    attempts += 1;
    if (attempts === 1) return Promise.reject(new MultiboxError("MODEL_UNKNOWN", "no"));
    return Promise.resolve(new ManualDetector("b"));
  };
  const { lanes } = createLanes({ openModel });
  await expect(lanes.acquire("b")).rejects.toThrow(failsWith("MODEL_UNKNOWN"));
  expect((await lanes.acquire("b")).detector.info.model.version).toBe("b");
});

test("no more models are open than may be", async () => {
  const { lanes } = createLanes();
  await lanes.acquire("b");
  await lanes.acquire("c");
  await expect(lanes.acquire("d")).rejects.toThrow(failsWith("MODEL_LIMIT"));
  lanes.release("b");
  await lanes.acquire("d");
});

test("a swapped detector is the lanes' own from then on; the one that was made with them is not closed by it", async () => {
  const { lanes, first, opened } = createLanes();
  const [next, other] = [new ManualDetector("2"), new ManualDetector("3")];
  await lanes.swap(undefined, next);
  expect(await lanes.detector()).toBe(next);
  await lanes.acquire("b");
  await lanes.swap("b", other);
  expect([first.closed, next.closed, opened[0]!.closed, other.closed]).toEqual([false, false, true, false]);
  await lanes.close();
  expect([first.closed, next.closed, other.closed]).toEqual([false, true, true]);
  await expect(lanes.swap("c", other)).rejects.toThrow(failsWith("MODEL_NOT_OPEN"));
  expect(await lanes.detector("c")).toBeUndefined();
});

test("a stream that changes its model takes along what waits, and its frames stay in order", async () => {
  const { lanes, first, opened, told } = createLanes();
  const lane = new StreamLane(lanes, "a");
  const frame = createFrames();
  expect(lane.want(undefined)).toBeUndefined();
  for (const name of ["a0", "a1", "a2"]) lane.lane!.push(frame(name));
  await lane.want("b");
  lane.lane!.push(frame("a3"));
  await opened[0]!.answer();
  expect(told.seen).toEqual([]);
  await first.answer();
  await opened[0]!.answer();
  expect(told.seen).toEqual(["a0@first", "a1@b", "a2@b", "a3@b"]);
});

test("of two wishes the later one counts, and what the earlier one opened is closed", async () => {
  const { lanes, opened } = createLanes();
  const lane = new StreamLane(lanes, "a");
  await Promise.all([lane.want("b"), lane.want("c")]);
  await settled();
  expect(lane.lane!.detector.info.model.version).toBe("c");
  expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  const late = lane.want("b");
  expect(lane.release()).toEqual([]);
  await late;
  await settled();
  expect(lane.lane).toBeUndefined();
  expect(opened.map(({ closed }) => closed)).toEqual([true, true, true]);
});
