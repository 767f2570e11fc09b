// A training of the server in earnest: a real `multibox train` in the background, whose server stops in the midst and is followed by another one.
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { asyncScheduler } from "rxjs";
import { afterAll, expect, test } from "vitest";
import { ownCommand } from "../../src/commands/own-command.ts";
import { writeBundle } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { createGuard } from "../../src/pipeline/guard.ts";
import { ModelStore } from "../../src/server/models/model-store.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { trainingRunner } from "../../src/server/trainings/training-runner.ts";
import { ServerTrainSettings, type TrainingInfo } from "../../src/server/trainings/training-schemas.ts";
import { Trainings } from "../../src/server/trainings/trainings.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { tinyDisk } from "../model/support/tiny-disk.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { runMultibox } from "../support/multibox.ts";
import { processesWith, until } from "../support/processes.ts";
import { writeShapes } from "../training/support/drawn-shapes.ts";

/** Pictures to learn from, a model to begin with, and where versions are kept. */
async function writeWorld(folder: string): Promise<{ data: string; parent: string; models: ModelStore }> {
  const [data, parent] = [join(folder, "data"), join(folder, "parent")];
  await writeShapes(data, { pictures: 24, seed: 1, side: 96 });
  const spec = smallSpec();
  await writeBundle(parent, spec, randomWeights(buildSsd(spec), 1), { source: "random numbers", licence: "none" });
  return { data, parent, models: new ModelStore(join(folder, "models")) };
}

test("it goes on in the next server from where it was, leaves no process, and its model is a version with a report", async () => {
  const folder = await makeFolder();
  const store = memoryStore();
  try {
    const { data, parent, models } = await writeWorld(folder.path);
    const first = open(folder.path, store, models);
    await first.load();
    first.open();
    const settings = ServerTrainSettings.parse({ epochs: 12, batch: 4, threads: 1 });
    const { id } = await first.create(() => Promise.resolve({ name: "shapes", from: parent, data, settings }));
    await until(() => (first.get(id).progress?.step ?? 0) >= 3 || first.get(id).error !== undefined);
    expect(first.get(id).error).toBeUndefined();
    expect(processesWith(folder.path)).not.toEqual([]);
    await first.close();
    expect(processesWith(folder.path)).toEqual([]);

    const second = open(folder.path, store, models);
    const steps: number[] = [];
    second.events.subscribe(({ training }) => {
      const step = training?.progress?.step;
      if (step !== undefined) steps.push(step);
    });
    await second.load();
    second.open();
    await until(() => !["queued", "running"].includes(second.get(id).state));
    const done = second.detail(id);
    expect(done).toMatchObject({ state: "done", version: 1, pictures: { training: expect.any(Number) as number } });
    // It began where the first was stopped, and not anew.
    expect(steps[0]).toBeGreaterThanOrEqual(3);
    expect(done.history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 13 }, (_, epoch) => epoch));
    expect(models.version("shapes", 1)).toMatchObject({ offered: done.offered, settings: { epochs: 12, threads: 1 } });
    await second.close();
  } finally {
    await store.close();
    await rm(folder.path, { recursive: true, force: true });
  }
});

test("classes may be called as members of objects are, and lose the line ends in their names", async () => {
  const folder = await makeFolder();
  const store = memoryStore();
  try {
    const { data, parent, models } = await writeWorld(folder.path);
    const file = join(data, "instances.json");
    const json = JSON.parse(await readFile(file, "utf8")) as { categories: { name: string }[] };
    const names = ["constructor", "__proto__", "to\nString"];
    for (const [i, category] of json.categories.entries()) category.name = names[i]!;
    await writeFile(file, JSON.stringify(json));
    const trainings = open(folder.path, store, models);
    await trainings.load();
    trainings.open();
    const settings = ServerTrainSettings.parse({
      epochs: 1,
      batch: 4,
      threads: 1,
      labels: ["__proto__", "to String", "constructor"],
    });
    const { id } = await trainings.create(() => Promise.resolve({ name: "shapes", from: parent, data, settings }));
    await until(() => !["queued", "running"].includes(trainings.get(id).state));
    expect(trainings.get(id)).toMatchObject({ state: "done", version: 1 });
    expect(models.version("shapes", 1).labels).toEqual(["__proto__", "to String", "constructor"]);
    const evaluated = await runMultibox([
      "evaluate",
      "--data",
      data,
      "--model",
      models.folderOf("shapes", 1),
      "--json",
    ]);
    expect([evaluated.code, evaluated.stderr]).toEqual([0, ""]);
    const { classes } = JSON.parse(evaluated.stdout) as { classes: { name: string; objects: number }[] };
    expect(classes.map(({ name, objects }) => [name, objects > 0])).toEqual(
      ["constructor", "__proto__", "to String"].map((name) => [name, true]),
    );
    await trainings.close();
  } finally {
    await store.close();
    await rm(folder.path, { recursive: true, force: true });
  }
});

const disk = tinyDisk(40);
afterAll(() => disk?.unmount());

test.skipIf(disk === undefined)(
  "a full disk ends it with its last checkpoint kept, and gone on with it comes to the same weights as undisturbed (needs a mount)",
  async () => {
    const folder = await makeFolder();
    const store = memoryStore();
    try {
      const { data, parent, models } = await writeWorld(folder.path);
      const trainings = open(folder.path, store, models, disk!.path);
      await trainings.load();
      trainings.open();
      const settings = ServerTrainSettings.parse({ epochs: 12, batch: 4, threads: 1, variants: 0 });
      const make = (): Promise<TrainingInfo> =>
        trainings.create(() => Promise.resolve({ name: "shapes", from: parent, data, settings }));
      const isOver = (id: string): boolean => !["queued", "running"].includes(trainings.get(id).state);
      const { id } = await make();
      const checkpoint = join(trainings.folderOf(id), "model", "shapes.training", "checkpoint.safetensors");
      await until(() => existsSync(checkpoint) || isOver(id));
      const ballast = join(disk!.path, "ballast");
      await expect(writeFile(ballast, Buffer.alloc(40e6))).rejects.toMatchObject({ code: "ENOSPC" });
      await until(() => isOver(id));
      const failed = trainings.detail(id);
      expect(failed).toMatchObject({ state: "failed", error: { code: "DISK_FULL" } });
      expect(existsSync(checkpoint)).toBe(true);

      await rm(ballast);
      await trainings.resume(id);
      const steps: number[] = [];
      trainings.events.subscribe(({ training }) => steps.push(training?.progress?.step ?? Infinity));
      await until(() => isOver(id));
      expect(trainings.detail(id)).toMatchObject({ state: "done", version: 1, history: { length: 13 } });
      // It went on from its checkpoint.
      expect(Math.min(...steps)).toBeGreaterThan(0);
      const undisturbed = await make();
      await until(() => isOver(undisturbed.id));
      const weightsOf = (version: number): Promise<Buffer> =>
        readFile(join(models.folderOf("shapes", version), "weights.safetensors"));
      expect((await weightsOf(1)).equals(await weightsOf(2))).toBe(true);
      await trainings.close();
    } finally {
      await store.close();
      await rm(folder.path, { recursive: true, force: true });
    }
  },
);

function open(folder: string, store: MemoryStore, models: ModelStore, work = join(folder, "trainings")): Trainings {
  const options = {
    command: ownCommand(),
    cacheDir: join(folder, "cache"),
    dataDir: folder,
    guard: createGuard(),
    models,
    fileRoots: () => [folder],
  };
  return new Trainings({
    store,
    folder: join(work, ".server"),
    limits: { maxRunning: 1, maxCount: 10 },
    run: trainingRunner(options),
    logger: pino({ level: "silent" }),
    clock: asyncScheduler,
  });
}
