// Runs a training: `multibox train` as a child process in the background, which goes on from the checkpoint that an earlier one has left.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, sep } from "node:path";
import { z } from "zod";
import { MultiboxError, systemCode } from "../../errors.ts";
import type { Guard } from "../../pipeline/guard.ts";
import { writeFailure } from "../../whole-file.ts";
import { TrainProgress } from "../../training/train-events.ts";
import { failureOf, runInBackground } from "../background/background-child.ts";
import type { ModelStore } from "../models/model-store.ts";
import { keepModel } from "./keep-model.ts";
import { TrainingTeller } from "./training-teller.ts";
import type { TrainingRecord } from "./training-record.ts";
import { CAPTURES, type TrainingRunner, type TrainingWork } from "./trainings.ts";

export interface TrainingRunnerOptions {
  /** How multibox itself is started. */
  readonly command: readonly string[];
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly guard: Guard;
  readonly models: ModelStore;
  /** Folders out of which data sets are read, as they are set now. */
  readonly fileRoots: () => readonly string[];
}

const DoneEvent = z.object({ type: z.literal("done"), bestEpoch: z.int(), stoppedEarly: z.boolean() });

/** What an old checkpoint is of no use for: another multibox, a data set that has changed. */
const BEGIN_ANEW: ReadonlySet<string> = new Set(["RESUME_MISMATCH", "CHECKPOINT_UNREADABLE", "FILE_NEWER"]);
const CHECKPOINT_SECONDS = 30;

/** Fails as `multibox train` does, or with JOB_DIED or JOB_NOT_STARTED, or where the model cannot be kept. */
export function trainingRunner(options: TrainingRunnerOptions): TrainingRunner {
  return async (work) => {
    const { record, folder } = work;
    const out = join(folder, "model", record.name);
    // The last that a training does is to remove what it would go on with: it was done, and this server killed before it knew.
    const isDone = existsSync(join(out, "version.json")) && !existsSync(workFolder(out));
    const facts = isDone ? {} : await trained(work, out, options);
    const { version, metrics, parentMetrics, offered, verdict } = await keepModel(out, record, options.models);
    // What was told last is the best epoch, and the model may be of another one.
    const kept = isDone ? record.history.findLast(({ figures }) => figures["AP"] === metrics["AP"]) : undefined;
    const taken = kept && { bestEpoch: kept.epoch };
    return { ...facts, ...taken, version, metrics, parentMetrics, offered, ...(verdict && { verdict }) };
  };
}

async function trained(
  work: TrainingWork,
  out: string,
  options: TrainingRunnerOptions,
): Promise<Partial<TrainingRecord>> {
  try {
    return await run(work, out, options);
  } catch (error) {
    if (!(error instanceof MultiboxError && BEGIN_ANEW.has(error.code))) throw error;
    await rm(workFolder(out), { recursive: true, force: true });
    work.onChange({ history: [] });
    return run(work, out, options);
  }
}

async function run(
  { record, folder, signal, onProgress, onChange }: TrainingWork,
  out: string,
  { command, cacheDir, dataDir, guard, fileRoots }: TrainingRunnerOptions,
): Promise<Partial<TrainingRecord>> {
  await mkdir(join(folder, "model")).catch((cause: unknown) => {
    if (systemCode(cause) !== "EEXIST") throw writeFailure(cause, folder);
  });
  const teller = new TrainingTeller({ history: record.history, onProgress, onChange });
  let done: Partial<TrainingRecord> = {};
  const onEvent = (line: unknown): void => {
    const event = TrainProgress.safeParse(line).data;
    if (event) teller.tell(event);
    const end = DoneEvent.safeParse(line).data;
    if (end) done = { bestEpoch: end.bestEpoch, stoppedEarly: end.stoppedEarly };
  };
  const folders = ["--cache-dir", cacheDir, "--data-dir", dataDir];
  const given = ["--resume", "--force", "--checkpoint-every", String(CHECKPOINT_SECONDS), "--out", out];
  // A data set may name pictures anywhere, and pictures are in the report.
  const held = [folder, ...fileRoots()].map((root) => `--only-under=${root}`);
  const args = ["train", "--json", ...folders, ...given, ...held, ...argumentsOf(record, folder)];
  const exit = await runInBackground({ command: [...command, ...args], cwd: folder, guard, signal, onEvent });
  if (exit.code === 0) return done;
  const { code, message, hint } = failureOf(exit, "trained the model");
  // Where the server keeps its trainings is no business of whoever reads of it.
  throw new MultiboxError(code, message.replaceAll(folder + sep, ""), hint);
}

/** Where `multibox train` keeps checkpoints. */
function workFolder(out: string): string {
  return `${out}.training`;
}

/** Each value is joined to its flag, so that none is taken for another flag. */
function argumentsOf({ data, validation, replay, from, settings }: TrainingRecord, folder: string): string[] {
  const { augment, labels, merge, epochs, ...values } = settings;
  const length = values.minutes === undefined ? [`--epochs=${epochs}`] : [];
  return [
    `--data=${data ?? join(folder, CAPTURES)}`,
    ...(data === undefined ? ["--format=captures"] : []),
    ...(validation === undefined ? [] : [`--validation=${validation}`]),
    ...(replay === undefined ? [] : [`--replay=${replay}`]),
    `--from=${from}`,
    ...length,
    ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${kebab(name)}=${value}`])),
    `--labels=${Array.isArray(labels) ? labels.join(",") : labels}`,
    ...Object.entries(merge).map(([name, olds]) => `--merge=${name}=${olds.join(",")}`),
    ...(augment ? [] : ["--no-augment"]),
  ];
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
