// A training's child process: what it is called with, what becomes of its events and of its end, and of the model that it leaves.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGuard } from "../../../src/pipeline/guard.ts";
import { ModelStore } from "../../../src/server/models/model-store.ts";
import { reportResponse } from "../../../src/server/models/report.ts";
import { trainingRunner } from "../../../src/server/trainings/training-runner.ts";
import { TrainingRecord } from "../../../src/server/trainings/training-record.ts";
import { ServerTrainSettings, type TrainingProgress } from "../../../src/server/trainings/training-schemas.ts";
import type { VersionFile } from "../../../src/server/models/model-schemas.ts";
import { writeBundle } from "../../../src/model/bundle.ts";
import { randomBundle } from "../../model/support/random-bundle.ts";
import { smallSpec } from "../../model/support/small-spec.ts";
import { makeFolder } from "../../support/ffmpeg.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let models: ModelStore;
beforeEach(async () => {
  folder = await makeFolder();
  models = new ModelStore(join(folder.path, "models"));
});
afterEach(() => folder.remove());

const FACTS: VersionFile = {
  format: 1,
  created: "2026-01-01T12:00:00.000Z",
  parent: "yard@0",
  metrics: { AP: 0.5 },
  parentMetrics: { AP: 0.4 },
  offered: true,
  data: { hash: "abc", pictures: 10 },
  settings: { epochs: 2 },
};

/** Where `multibox train` is told to put the model. */
const out = (): string => join(folder.path, "model", "yard");

async function leaveModel(): Promise<void> {
  const { spec, weights } = randomBundle(smallSpec());
  const source = `yard (random), trained on ${join(folder.path, "captures")}`;
  await writeBundle(out(), spec, weights, { source, licence: "none" });
  writeFileSync(join(out(), "version.json"), JSON.stringify(FACTS));
  writeFileSync(join(out(), "report.html"), "<!doctype html><title>yard</title>");
}

interface Ran {
  readonly outcome: Partial<TrainingRecord>;
  readonly progress: TrainingProgress[];
  readonly changes: Partial<TrainingRecord>[];
}

/** Runs a script in the place of multibox. */
async function run(script: string, changed: Partial<TrainingRecord> = {}): Promise<Ran> {
  const [progress, changes]: [TrainingProgress[], Partial<TrainingRecord>[]] = [[], []];
  const command = [process.execPath, "-e", script, "--"];
  const options = {
    command,
    cacheDir: "/cache",
    dataDir: "/data",
    guard: createGuard(),
    models,
    fileRoots: () => ["/sets"],
  };
  const settings = ServerTrainSettings.parse({ epochs: 2, threads: 1 });
  const base = { id: "1", state: "running", created: 0, history: [], name: "yard", from: "yard@0", captures: 3 };
  const outcome = await trainingRunner(options)({
    record: TrainingRecord.parse({ ...base, settings, ...changed }),
    folder: folder.path,
    signal: new AbortController().signal,
    onProgress: (one) => progress.push(one),
    onChange: (one) => changes.push(one),
  });
  return { outcome, progress, changes };
}

const say = (...events: object[]): string =>
  events.map((event) => `console.log(${JSON.stringify(JSON.stringify(event))});`).join("");
const fail = (sentence: string): string => `console.error("multibox: ${sentence}"); process.exitCode = 1;`;

test("the settings are arguments, the events progress and history, and the model a version with its report", async () => {
  await leaveModel();
  mkdirSync(`${out()}.training`);
  const keepArgs = `require("node:fs").writeFileSync("args.json", JSON.stringify(process.argv.slice(1)));`;
  const epoch = { type: "epoch", lr: 0.1, seconds: 1, epochs: 2 };
  const told = say(
    { type: "look", done: 1, total: 3 },
    {
      type: "start",
      engine: "onnx:cpu, 1 thread",
      training: 2,
      validation: 1,
      split: { by: "time", training: 2, validation: 1, gap: 1, streams: 1 },
      labels: ["trailer"],
      known: [],
      like: {},
      epochs: 2,
      steps: 4,
      resumed: 0,
      dataHash: "abc",
      warnings: ["odd"],
    },
    { type: "parent", figures: { AP: 0.4 } },
    { ...epoch, epoch: 0, boxLoss: null, classLoss: null, figures: { AP: 0.1 }, best: true },
    { ...epoch, epoch: 1, boxLoss: 1, classLoss: 2, figures: { AP: 0.5 }, best: true },
    { ...epoch, epoch: 2, boxLoss: 1, classLoss: 2, figures: { AP: 0.3 }, best: false },
    { type: "done", folder: "x", bestEpoch: 1, stoppedEarly: false, ...FACTS },
  );
  const settings = ServerTrainSettings.parse({
    epochs: 2,
    threads: 1,
    merge: { car: ["bus", "--lr"] },
    augment: false,
  });
  const { outcome, progress, changes } = await run(keepArgs + told, { settings });
  const args = JSON.parse(readFileSync(join(folder.path, "args.json"), "utf8")) as string[];
  const fixed = ["train", "--json", "--cache-dir", "/cache", "--data-dir", "/data", "--resume", "--force"];
  expect(args.slice(0, 8)).toEqual(fixed);
  const wanted = [`--data=${join(folder.path, "captures")}`, "--format=captures", "--from=yard@0", "--epochs=2"];
  expect(args).toEqual(
    expect.arrayContaining([
      `--only-under=${folder.path}`,
      "--only-under=/sets",
      ...wanted,
      "--weight-decay=0.0005",
      "--split-by=auto",
      "--near-identical=check",
      "--merge=car=bus,--lr",
      "--no-augment",
    ]),
  );
  expect(progress).toMatchObject([
    { phase: "looking", pictures: { done: 1, total: 3 } },
    { phase: "training", step: 0, steps: 8, epochs: 2 },
  ]);
  expect(Object.assign({}, ...changes)).toMatchObject({
    engine: "onnx:cpu, 1 thread",
    pictures: { training: 2, validation: 1 },
    split: { by: "time", gap: 1 },
    warnings: ["odd"],
    parentMetrics: { AP: 0.4 },
    metrics: { AP: 0.5 },
    bestEpoch: 1,
    history: [{ epoch: 0 }, { epoch: 1 }, { epoch: 2 }],
  });
  const made = { version: 1, metrics: { AP: 0.5 }, parentMetrics: { AP: 0.4 }, offered: true };
  expect(outcome).toEqual({ ...made, bestEpoch: 1, stoppedEarly: false });
  expect(models.version("yard", 1)).toMatchObject({ parent: "yard", labels: ["cat", "dog", "cow", "car", "bus"] });
  const json = JSON.parse(readFileSync(join(models.folderOf("yard", 1), "model.json"), "utf8")) as object;
  expect(json).toMatchObject({ provenance: { source: "yard (random), trained on captured frames" } });
  const report = await reportResponse(models, "yard", 1);
  expect(await report.text()).toContain("yard");
  expect(report.headers.get("content-security-policy")).toContain("default-src 'none'");
  await expect(reportResponse(models, "yard", 2)).rejects.toMatchObject({ code: "VERSION_UNKNOWN" });
});

test("what was done when the server was killed is kept once, and not trained again", async () => {
  await leaveModel();
  const never = fail("NEVER: This must not run.");
  expect((await run(never)).outcome).toMatchObject({ version: 1 });
  // Killed between the version and the note of it.
  expect((await run(never)).outcome).toMatchObject({ version: 1 });
  expect(models.versions("yard")).toHaveLength(1);
  // The last event was of the best epoch; the model is of the last one.
  const history = [0.4, 0.6, 0.5].map((AP, epoch) => {
    return { epoch, boxLoss: 1, classLoss: 1, lr: 0.1, seconds: 1, figures: { AP }, best: epoch < 2 };
  });
  expect((await run(never, { history, bestEpoch: 1 })).outcome).toMatchObject({ version: 1, bestEpoch: 2 });
});

test("a failure is the child's own sentence without the server's folders, or says how it died", async () => {
  const full = fail(`DISK_FULL: There is no space left for ${folder.path}/model/yard.training/checkpoint.`);
  await expect(run(full)).rejects.toMatchObject({
    code: "DISK_FULL",
    message: "There is no space left for model/yard.training/checkpoint.",
  });
  await expect(run(`process.kill(process.pid, "SIGKILL")`)).rejects.toMatchObject({ code: "JOB_DIED" });
  expect(models.versions("yard")).toEqual([]);
});

test("what a checkpoint of other data is of no use for is begun anew", async () => {
  await leaveModel();
  mkdirSync(`${out()}.training`);
  const mismatch = fail("RESUME_MISMATCH: The checkpoint is of other data.");
  const script = `if (require("node:fs").existsSync(${JSON.stringify(`${out()}.training`)})) { ${mismatch} }`;
  const { outcome, changes } = await run(script);
  expect([outcome.version, changes]).toEqual([1, [{ history: [] }]]);
  expect(existsSync(`${out()}.training`)).toBe(false);
});
