// A training as a whole: what it tells, the same bits again, going on where it was stopped, and where it stops by itself.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { weightsHash } from "../../src/training/checkpoint.ts";
import { metadataOf } from "../../src/model/export/safetensors.ts";
import { readSafetensors, writeSafetensors } from "../../src/model/weights/safetensors.ts";
import { TrainProgress } from "../../src/training/train-events.ts";
import { SHAPES, writeShapes } from "./support/drawn-shapes.ts";
import { runTraining, type Training } from "./support/run-training.ts";
import { tinySsd } from "./support/tiny-ssd.ts";

let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-train-"));
  data = join(root, "data");
  await writeShapes(data, { pictures: 15, seed: 1, side: 64 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

let runs = 0;
const newRun = (): string => join(root, `run-${(runs += 1)}`);
const run = (options: Partial<Training> = {}): ReturnType<typeof runTraining> =>
  runTraining({ data, folder: newRun(), ...options });

test("tells what it does, leaves frozen layers alone, and stopped half way it goes on to the same bits", async () => {
  const events: TrainProgress[] = [];
  const whole = await run({ onEvent: (event) => events.push(event) });
  // As data that can be sent.
  expect(events.map((event) => TrainProgress.parse(JSON.parse(JSON.stringify(event))))).toEqual(events);
  expect(events.map(({ type }) => type).filter((type) => type !== "look")).toEqual(
    "start parent epoch step step step epoch checkpoint step step step epoch checkpoint".split(" "),
  );
  const split = { by: "hash", training: 12, validation: 3, gap: 0 };
  expect(events.find(({ type }) => type === "start")).toMatchObject({ training: 12, validation: 3, split, steps: 3 });
  expect(whole.history.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  const settings = { epochs: 2, freeze: "base", split };
  expect(whole.facts).toMatchObject({ parent: "tiny", data: { hash: whole.data.hash, pictures: 12 }, settings });
  const before = tinySsd(SHAPES, 1).weights;
  const changed = [...before].filter(([name, { data: values }]) => {
    const after = whole.bundle.weights.get(name)!.data;
    return values.some((value, i) => value !== after[i]);
  });
  expect(changed.filter(([name]) => name.startsWith("base."))).toEqual([]);

  const folder = newRun();
  const stop = new AbortController();
  const onEvent = (event: TrainProgress): void => {
    if (event.type === "step" && event.step === 4) stop.abort();
  };
  const first = run({ folder, onEvent, signal: stop.signal });
  await expect(first).rejects.toMatchObject({ code: "INTERRUPTED", message: "Stopped after step 4 of 6." });
  await expect(run({ folder, resume: true, settings: { lr: 0.5 } })).rejects.toMatchObject({
    code: "RESUME_MISMATCH",
    message: expect.stringContaining("is of a training with lr 0.0001, and 0.5 is asked for") as string,
  });
  const steps: number[] = [];
  const onRest = (event: TrainProgress): unknown => event.type === "step" && steps.push(event.step);
  const rest = await run({ folder, resume: true, onEvent: onRest });
  expect(steps).toEqual([5, 6]);
  expect(weightsHash(rest.bundle)).toBe(weightsHash(whole.bundle));
  // The folder is the caller's to remove; what is in it is no other training's.
  const parent = tinySsd(SHAPES, 2);
  await expect(run({ folder, resume: true, parent })).rejects.toThrow("is of a training that began with another model");
  const checkpoint = join(folder, "checkpoint.safetensors");
  await writeFile(checkpoint, (await readFile(checkpoint)).subarray(0, 5000));
  await expect(run({ folder, resume: true })).rejects.toMatchObject({ code: "CHECKPOINT_UNREADABLE" });
});

test("a time budget chooses the epochs once, and a run that is resumed keeps to them", async () => {
  const folder = newRun();
  const stop = new AbortController();
  const epochs: number[] = [];
  const onEvent = (event: TrainProgress): void => {
    if (event.type === "start") epochs.push(event.epochs);
    if (event.type === "step") stop.abort();
  };
  const settings = { minutes: 1e-6 };
  await expect(run({ folder, settings, onEvent, signal: stop.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  const resumed = await run({ folder, settings, onEvent, resume: true });
  expect(epochs).toEqual([1, 1]);
  expect(resumed.facts.settings).toMatchObject({ minutes: 1e-6, epochs: 1 });
  const whole = await run({ settings: { epochs: 1 } });
  expect(weightsHash(resumed.bundle)).toBe(weightsHash(whole.bundle));
});

test("a run from before there was the setting unlabelled resumes as it began", async () => {
  const parent = tinySsd([...SHAPES, "star"], 1);
  const folder = newRun();
  const unlabelled: string[][] = [];
  const lossesOf = async (options: Partial<Training>): Promise<number[]> => {
    const losses: number[] = [];
    const onEvent = (event: TrainProgress): void => {
      if (event.type === "start") unlabelled.push(event.unlabelled);
      if (event.type === "step") losses.push(event.classLoss);
      options.onEvent?.(event);
    };
    await run({ parent, ...options, settings: { epochs: 1, ...options.settings }, onEvent }).catch((error: unknown) => {
      if (!(error instanceof MultiboxError) || error.code !== "INTERRUPTED") throw error;
    });
    return losses;
  };
  const whole = await lossesOf({ settings: { unlabelled: "background" } });
  const stop = new AbortController();
  const onEvent = (event: TrainProgress): void =>
    event.type === "step" && event.step === 2 ? stop.abort() : undefined;
  const stopped = await lossesOf({ folder, settings: { unlabelled: "background" }, onEvent, signal: stop.signal });
  const checkpoint = join(folder, "checkpoint.safetensors");
  const bytes = await readFile(checkpoint);
  const { identity, state } = metadataOf(bytes) as { identity: string; state: string };
  const old = identity.replace(',"unlabelled":"background"', "");
  expect(old).not.toBe(identity);
  const metadata = { identity: old, state };
  await writeFile(checkpoint, writeSafetensors(readSafetensors(bytes, checkpoint), metadata));
  await expect(run({ parent, folder, resume: true, settings: { epochs: 1, lr: 0.5 } })).rejects.toMatchObject({
    code: "RESUME_MISMATCH",
    hint: expect.stringContaining("Its default was --labels data") as string,
  });
  // The setting is now `ignore` where nothing is given.
  expect([...stopped, ...(await lossesOf({ folder, resume: true }))]).toEqual(whole);
  expect(whole).toHaveLength(3);
  expect(unlabelled).toEqual([["star"], ["star"], ["star"]]);
  const ignored = await lossesOf({});
  expect(ignored.every((loss, i) => loss < whole[i]!)).toBe(true);
});

test("a run from before there was splitting by time resumes on the images that it had, to the same bits", async () => {
  const whole = await run();
  const folder = newRun();
  const stop = new AbortController();
  const onEvent = (event: TrainProgress): void =>
    event.type === "step" && event.step === 4 ? stop.abort() : undefined;
  await expect(run({ folder, onEvent, signal: stop.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  const checkpoint = join(folder, "checkpoint.safetensors");
  const bytes = await readFile(checkpoint);
  const { identity, state } = metadataOf(bytes) as { identity: string; state: string };
  const old = identity.replace(',"nearIdentical":"check"', "").replace('"splitBy":"auto"', '"splitBy":"hash"');
  expect(old.length).toBeLessThan(identity.length - 20);
  await writeFile(checkpoint, writeSafetensors(readSafetensors(bytes, checkpoint), { identity: old, state }));
  await expect(run({ folder, resume: true, settings: { splitBy: "time" } })).rejects.toMatchObject({
    code: "RESUME_MISMATCH",
    message: expect.stringContaining('is of a training with splitBy "hash", and "time" is asked for') as string,
  });
  const rest = await run({ folder, resume: true });
  expect(weightsHash(rest.bundle)).toBe(weightsHash(whole.bundle));
  expect(rest.facts.settings).toMatchObject({ splitBy: "hash", split: { by: "hash", training: 12, validation: 3 } });
});

test("stops early where it becomes no better, and at a loss that is no number, naming the step and its pictures", async () => {
  const { stoppedEarly, history, bestEpoch, facts } = await run({ settings: { epochs: 50, patience: 2, lr: 1e-9 } });
  expect([stoppedEarly, bestEpoch, history.length]).toEqual([true, 0, 3]);
  // An unchanged start is as good as its parent, and still nothing that was learned.
  expect([facts.metrics["AP"], facts.offered]).toEqual([facts.parentMetrics["AP"], false]);
  const parent = tinySsd(SHAPES, 1);
  for (const [name, { data: values }] of parent.weights) if (name === "head0.logits.bias") values.fill(Number.NaN);
  await expect(run({ parent })).rejects.toMatchObject({
    code: "TRAINING_DIVERGED",
    message: expect.stringMatching(
      /^Step 1: the loss is NaN\. The batch's pictures: (\S+\d+\.png,? ?){4}\.$/,
    ) as string,
  });
});

test("one of the two answers may be frozen as a whole", async () => {
  const freeze = "base,extra*,head*.logits";
  const { facts, history } = await run({ settings: { epochs: 1, freeze } });
  expect(facts.settings).toMatchObject({ freeze, blend: 1 });
  expect(history.map(({ boxLoss }) => boxLoss === null || boxLoss > 0)).toEqual([true, true]);
});

test.each([
  ["neck", "LAYER_UNKNOWN", 'The model has no layer "neck".'],
  ["base,extra0,head0,head1", "NOTHING_TO_LEARN", 'With "base,extra0,head0,head1" frozen, all 9 layers are.'],
  ["9", "NOTHING_TO_LEARN", 'With "9" frozen, all 9 layers are.'],
])("%s cannot be frozen", async (freeze, code, message) => {
  await expect(run({ settings: { freeze } })).rejects.toMatchObject({ code, message });
});
