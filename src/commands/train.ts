// `multibox train`: opens what is needed, trains, and keeps what was made where it can be used.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import { lockDataDir } from "../server/data-dir.ts";
import { VERSION_FORMAT, VersionFile } from "../server/models/model-schemas.ts";
import { ModelStore, REPORT } from "../server/models/model-store.ts";
import { named } from "../server/models/version-number.ts";
import { StreamId } from "../server/protocol.ts";
import { openDataset } from "../training/dataset.ts";
import { drawReport } from "../training/report/report.ts";
import { train, type TrainResult } from "../training/train.ts";
import type { TrainSettings } from "../training/train-settings.ts";
import type { Dataset } from "../training/truth.ts";
import { requireWritable, writeWhole } from "../whole-file.ts";
import { openShown, requireFree, writeModel } from "./model-folder.ts";
import { showTraining } from "./train-progress.ts";

export interface TrainCommandOptions {
  readonly data: string;
  readonly format?: Dataset["format"] | undefined;
  readonly annotations?: string | undefined;
  readonly split?: string | undefined;
  readonly from: string;
  /** One of the two. */
  readonly out?: string | undefined;
  readonly name?: string | undefined;
  readonly validation?: string | undefined;
  readonly replay?: string | undefined;
  /** Folders out of which no data are read, links followed; anywhere where absent. */
  readonly onlyUnder?: readonly string[] | undefined;
  readonly resume: boolean;
  readonly checkpointEvery: number;
  readonly force: boolean;
  readonly json: boolean;
  readonly settings: TrainSettings;
  readonly cacheDir: string;
  readonly dataDir: string;
}

/** Trains and writes. What an interrupted run has learnt stays in a folder beside what it would have made. */
export async function trainModel(options: TrainCommandOptions): Promise<void> {
  const { data, format, annotations, split, onlyUnder, json, settings, resume, cacheDir } = options;
  const parentName = options.from.replace(/@0$/, "");
  const place = await placeOf(options);
  const store = new ModelStore(join(options.dataDir, "models"));
  await store.load((sentence) => console.error(`multibox: ${sentence}`));
  const given = {
    data: await openDataset({ folder: data, format, annotations, split, onlyUnder }),
    ...(options.validation !== undefined && {
      validation: await openDataset({ folder: options.validation, onlyUnder }),
    }),
    ...(options.replay !== undefined && { replay: await openDataset({ folder: options.replay, onlyUnder }) }),
  };
  const parent = await openShown(store.resolve(options.from) ?? parentName, cacheDir, "onnx:cpu");
  await clearFolder(place.folder, options);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const shown = showTraining(json);
  try {
    const run = { given, parent, parentName, settings, folder: place.folder, resume, cacheDir };
    const events = train({ ...run, checkpointSeconds: options.checkpointEvery, signal: stop.signal });
    for await (const event of events) {
      if (event.type !== "done") {
        shown.tell(event);
        continue;
      }
      const folder = await place.keep(event, store);
      await rm(place.folder, { recursive: true, force: true });
      shown.end(event, folder);
    }
  } finally {
    shown.close();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** Where a training works, and what it does with what it has made. */
interface Place {
  readonly folder: string;
  /** Returns how `--model` names it. */
  readonly keep: (result: TrainResult, store: ModelStore) => Promise<string>;
}

async function placeOf({ out, name, dataDir, force }: TrainCommandOptions): Promise<Place> {
  if ((out === undefined) === (name === undefined)) {
    const sentence = out === undefined ? "Where to write the model is missing." : "--out and --name are both given.";
    throw new MultiboxError("OUT_CONFLICT", sentence, "Give --out FOLDER or --name NAME.");
  }
  if (out !== undefined) {
    await requireFree(out, force);
    await requireWritable(resolve(out), "folder");
    return { folder: `${resolve(out)}.training`, keep: (result) => keepInFolder(out, result) };
  }
  const parsed = StreamId.safeParse(name);
  if (!parsed.success) {
    const why = parsed.error.issues[0]!.message;
    throw new MultiboxError("CONFIG_INVALID", `--name ${name}: ${why}.`, "Choose another name.");
  }
  await mkdir(dataDir, { recursive: true });
  // A server numbers versions, too.
  lockDataDir(dataDir)();
  return {
    folder: join(dataDir, "trainings", name!),
    keep: (result, store) => keepAsVersion(name!, dataDir, result, store),
  };
}

async function keepInFolder(out: string, result: TrainResult): Promise<string> {
  const name = basename(resolve(out));
  const report = await drawReport(name, result);
  const folder = await writeModel(out, renamed(result.bundle, name));
  const file = VersionFile.parse({ format: VERSION_FORMAT, ...result.facts });
  await writeWhole(join(out, "version.json"), [`${JSON.stringify(file, undefined, 1)}\n`]);
  await writeWhole(join(out, REPORT), [report]);
  return folder;
}

async function keepAsVersion(name: string, dataDir: string, result: TrainResult, store: ModelStore): Promise<string> {
  const unlock = lockDataDir(dataDir);
  try {
    const { version } = await store.add(name, renamed(result.bundle, name), result.facts);
    const folder = store.folderOf(name, version);
    await writeWhole(join(folder, REPORT), [await drawReport(`${name}@${version}`, result)]);
    return folder;
  } finally {
    unlock();
  }
}

function renamed(bundle: Bundle, name: string): Bundle {
  return { ...bundle, spec: { ...bundle.spec, ...named(name, bundle.spec) } };
}

async function clearFolder(folder: string, { resume, force }: TrainCommandOptions): Promise<void> {
  if (resume || !existsSync(join(folder, "checkpoint.safetensors"))) return;
  if (!force) {
    const sentence = `An interrupted training is in ${folder}.`;
    throw new MultiboxError("OUT_EXISTS", sentence, "Continue it with --resume, or restart with --force.");
  }
  await rm(folder, { recursive: true, force: true });
}
