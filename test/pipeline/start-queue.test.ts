// Who starts when more want to than may: a few at a time, those that had frames first, and each in its time.
import { expect, test } from "vitest";
import { StartQueue } from "../../src/pipeline/start-queue.ts";

const never = new AbortController().signal;

test("as many start at once as may, the others in the order in which they came, and an aborted one not at all", async () => {
  const queue = new StartQueue({ width: 2, startingMs: 60_000 });
  const started: string[] = [];
  const enter = (name: string, signal = never): Promise<() => void> =>
    queue.enter(false, signal).then((leave) => (started.push(name), leave));
  const abort = new AbortController();
  const leaves = await Promise.all([enter("a"), enter("b")]);
  const aborted = enter("gone", abort.signal).catch((error: unknown) => error);
  const later = [enter("c"), enter("d")];
  abort.abort();
  expect(await aborted).toBeInstanceOf(Error);
  expect(started).toEqual(["a", "b"]);
  leaves[0]();
  leaves[0]();
  (await later[0]!)();
  (await later[1]!)();
  expect(started).toEqual(["a", "b", "c", "d"]);
  leaves[1]();
  for (const leave of await Promise.all([enter("e"), enter("f")])) leave();
});

test("a stream that had frames goes before those that have waited up to five seconds longer", async () => {
  let now = 0;
  const queue = new StartQueue({ width: 1, startingMs: 60_000, now: () => now });
  const started: string[] = [];
  const first = await queue.enter(false, never);
  const enter = async (name: string, hadFrames: boolean): Promise<void> => {
    const leave = await queue.enter(hadFrames, never);
    started.push(name);
    leave();
  };
  const all = [enter("long", false)];
  now = 6000;
  all.push(enter("new", false), enter("back", true));
  first();
  await Promise.all(all);
  expect(started).toEqual(["long", "back", "new"]);
});

test("a start that takes long makes room after a while", async () => {
  const queue = new StartQueue({ width: 1, startingMs: 1 });
  await queue.enter(false, never);
  const leave = await queue.enter(false, never);
  expect(leave).toBeTypeOf("function");
  leave();
});
