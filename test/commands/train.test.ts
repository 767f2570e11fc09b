// `multibox train` keeps what it made where it can be used: as a version of a name, or in a folder, with a report.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { addTrainCommand } from "../../src/commands/train-command.ts";
import { trainModel, type TrainCommandOptions } from "../../src/commands/train.ts";
import { readBundle, writeBundle } from "../../src/model/bundle.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { VersionFile } from "../../src/server/models/model-schemas.ts";
import { ModelStore } from "../../src/server/models/model-store.ts";
import { TrainSettings } from "../../src/training/train-settings.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { SHAPES, writeShapes } from "../training/support/drawn-shapes.ts";
import { writeFrames } from "../training/support/fixed-camera.ts";

let root: string;
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-train-command-"));
  await writeShapes(at("data"), { pictures: 10, seed: 1, side: 96 });
  const spec = smallSpec();
  await writeBundle(at("parent"), spec, randomWeights(buildSsd(spec), 1), { source: "random", licence: "none" });
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

function optionsOf(options: Partial<TrainCommandOptions>): TrainCommandOptions {
  return {
    data: at("data"),
    from: at("parent"),
    resume: false,
    checkpointEvery: 60,
    force: false,
    json: true,
    settings: TrainSettings.parse({ epochs: 1, batch: 4, threads: 1, variants: 1, lr: 1e-5 }),
    cacheDir: at("cache"),
    dataDir: at("data-dir"),
    ...options,
  };
}

test("by default all labels of the parent are kept; a version of a name is made, and from it a model in a folder, each with its facts and a report", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await trainModel(optionsOf({ name: "yard" }));
  const store = new ModelStore(at("data-dir/models"));
  await store.load((sentence) => expect.unreachable(sentence));
  expect(store.version("yard", 1)).toMatchObject({
    labels: ["cat", "dog", "cow", "car", "bus", ...SHAPES],
    parent: at("parent"),
    data: { pictures: 8 },
    settings: { labels: "all", unlabelled: "ignore" },
  });
  const told = log.mock.calls.map(([line]) => JSON.parse(line as string) as { type: string });
  expect(told.at(-1)).toMatchObject({
    type: "done",
    folder: store.folderOf("yard", 1),
    bestEpoch: expect.any(Number) as number,
  });

  const settings = { ...optionsOf({}).settings, labels: "data" } as const;
  await trainModel(optionsOf({ from: "yard@1", out: at("model"), data: at("data"), settings }));
  const { spec, provenance } = await readBundle(at("model"));
  expect(spec).toMatchObject({ name: "model", version: "1", labels: [null, ...SHAPES] });
  expect(provenance.source).toContain("yard@1 (");
  const file = VersionFile.parse(JSON.parse(await readFile(at("model/version.json"), "utf8")));
  expect(file).toMatchObject({ parent: "yard@1", settings: { epochs: 1, seed: 1 } });
  const report = await readFile(at("model/report.html"), "utf8");
  expect(report).toContain("<h1>model</h1>");
  expect(report).toContain("data:image/jpeg;base64,");
  expect(report).not.toMatch(/<script|(?:src|href)="(?!data:)/);
  await expect(trainModel(optionsOf({ out: at("model") }))).rejects.toMatchObject({ code: "OUT_EXISTS" });
});

test("a fixed camera's frames train by default, and the version says how they were split", async () => {
  await writeFrames(at("camera"), { count: 30 });
  const lines = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  await trainModel(optionsOf({ data: at("camera"), out: at("yard"), json: false }));
  const file = VersionFile.parse(JSON.parse(await readFile(at("yard/version.json"), "utf8")));
  const split = { by: "time", training: 22, validation: 6, gap: 2, streams: 1 };
  expect(file.settings["split"]).toEqual(split);
  const sentence = "Split by time: the last 6 images validate, and 2 in the gap before them are used by neither side.";
  expect(lines.mock.calls.flat()).toEqual(expect.arrayContaining([sentence]));
  expect(await readFile(at("yard/report.html"), "utf8")).toContain(sentence);
});

test("a start that no epoch has improved is said to be one, and not offered", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  const settings = TrainSettings.parse({ epochs: 1, batch: 4, threads: 1, variants: 1, lr: 1e-12 });
  // Of a label that the parent knows.
  await writeFrames(at("cars"), { count: 20, label: "car" });
  await trainModel(optionsOf({ data: at("cars"), out: at("same"), json: false, settings }));
  const told = log.mock.calls.flat().join("\n");
  expect(told).toMatch(/^Nothing was learned: no epoch was better than the start\. AP \S+ before, \S+ now\.$/m);
  expect(told).toMatch(/^The unchanged start is in .*same, with report\.html, and is not offered\.$/m);
  expect(JSON.parse(await readFile(at("same/version.json"), "utf8"))).toMatchObject({ offered: false });
  expect(await readFile(at("same/report.html"), "utf8")).toContain("Nothing was learned");
});

test.each<[Partial<TrainCommandOptions>, string, RegExp]>([
  [{}, "OUT_CONFLICT", /Where to write the model is missing/],
  [{ out: "a", name: "b" }, "OUT_CONFLICT", /both given/],
  [{ name: "no name" }, "CONFIG_INVALID", /--name no name: /],
  [{ name: "x", from: "./nothing" }, "MODEL_NOT_FOUND", /no model in \.\/nothing/],
  [{ name: "x", from: "unheard-of" }, "MODEL_UNKNOWN", /"unheard-of"/],
  [{ name: "x", data: "./nothing" }, "DATASET_NOT_FOUND", /no folder \.\/nothing/],
])("%j is refused with a sentence", async (options, code, message) => {
  const refused = trainModel(optionsOf(options));
  await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
});

test.each([
  [["--epochs", "0"], /--epochs 0: /],
  [["--minutes", "0"], /--minutes 0: /],
  [["--minutes", "5", "--epochs", "9"], /--minutes 5 and --epochs 9 are both given/],
  [["--lr", "fast"], /--lr fast: /],
  [["--weight-decay", "-1"], /--weight-decay -1: /],
  [["--schedule", "linear"], /--schedule linear: /],
  [["--split-by", "week"], /--split-by week: /],
  [["--near-identical", "maybe"], /--near-identical maybe: /],
  [["--merge", "vehicle"], /--merge vehicle: it has no new label/],
])("%j is refused with the flag and the value", async (flags, sentence) => {
  const program = new Command().exitOverride();
  addTrainCommand(program, []);
  const parsed = program.parseAsync(["train", "--data", "x", "--out", "y", ...flags], { from: "user" });
  await expect(parsed).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(sentence) as string,
  });
});
