// `multibox captures label` and `multibox captures agreement`: proposals by a slower look, and how far people followed proposals.
import type { Config } from "../config.ts";
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import { openDetector } from "../model/detector-pool.ts";
import type { PostProcessSpec } from "../model/spec.ts";
import type { Detector } from "../model/detector.ts";
import type { Grid } from "../model/tiles.ts";
import type { CaptureStore } from "../server/captures/capture-store.ts";
import { lookAgain, propose, type Proposed } from "../server/captures/propose.ts";
import { lockDataDir } from "../server/data-dir.ts";
import type { Capture } from "../training/capture.ts";
import { agreementOf } from "../training/agreement.ts";
import { requireLabels } from "./arguments.ts";
import { openStore, type Place } from "./captures.ts";
import { findShown } from "./model-folder.ts";
import { untilSignal } from "./terminal.ts";

export interface LabelOptions extends Place, Pick<Config, "model" | "engine" | "precision" | "workers"> {
  readonly cacheDir: string;
  readonly minScore: number;
  readonly postProcess: Partial<PostProcessSpec>;
  readonly grid: Grid;
  readonly labels: readonly string[] | undefined;
  readonly streams: readonly string[] | undefined;
  /** Print what is found, one line of JSON for each capture, and write nothing. */
  readonly dryRun: boolean;
}

/**
 * Returns how many captures could not be read. Fails with DATA_DIR_IN_USE while a server runs, unless it is a dry run, with CAPTURE_UNKNOWN where there
 * are none, with LABEL_UNKNOWN, or as the model or the disk does.
 */
export async function labelCaptures(options: LabelOptions): Promise<number> {
  if (options.dryRun) return withDetector(options, printProposals);
  const unlock = lockDataDir(options.dataDir);
  try {
    return await withDetector(options, writeProposals);
  } finally {
    unlock();
  }
}

interface Look {
  readonly store: CaptureStore;
  readonly captures: readonly Capture[];
  readonly detector: Detector;
}

type Work = (look: Look, options: LabelOptions) => Promise<number>;

async function withDetector(options: LabelOptions, work: Work): Promise<number> {
  const { dataDir, bounds, labels, streams, grid } = options;
  const store = await openStore({ dataDir, bounds });
  const captures = store.list().filter(({ stream }) => streams?.includes(stream) ?? true);
  if (captures.length === 0) throw noCaptures(store.folder, streams);
  const { folder } = await findShown(options.model, options.cacheDir, options.engine);
  const maxBatch = Math.min(8, grid.columns * grid.rows + 1);
  const detector = await openDetector({ ...options, folder, maxBatch });
  try {
    requireLabels(labels, detector.info.labels);
    return await work({ store, captures, detector }, options);
  } finally {
    await detector.close();
  }
}

async function writeProposals(
  { store, captures, detector }: Look,
  { grid, labels, json }: LabelOptions,
): Promise<number> {
  const done = await untilSignal((signal, onProgress) =>
    propose(store, captures, { detector, grid, labels, signal, onProgress }),
  );
  report(done, modelName(detector), json);
  return done.failures.length;
}

/** A signal ends it at once, because there is nothing to be kept. */
async function printProposals({ store, captures, detector }: Look, { grid, labels }: LabelOptions): Promise<number> {
  const boxesBefore = new Map(captures.map(({ id, proposed }) => [id, proposed.length]));
  const sum = { captures: 0, boxesBefore: 0, boxes: 0, reviewed: 0, failed: 0 };
  for await (const event of lookAgain(store.folder, captures, { detector, grid, labels })) {
    await print(event);
    if (event.event === "unreadable") sum.failed += 1;
    else if (event.event === "reviewed") sum.reviewed += 1;
    else {
      sum.captures += 1;
      sum.boxesBefore += boxesBefore.get(event.id)!;
      sum.boxes += event.proposed.length;
    }
  }
  await print({ event: "done", model: modelName(detector), ...sum });
  return sum.failed;
}

/** Waits until the reader has taken it. */
function print(line: object): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));
}

function modelName({ info }: Detector): string {
  return `${info.model.name}@${info.model.version}`;
}

/** Reads what is there, also while a server runs. */
export async function showAgreement({ dataDir, bounds, json }: Place): Promise<void> {
  const agreement = agreementOf((await openStore({ dataDir, bounds })).list());
  if (json) return console.log(JSON.stringify(agreement));
  const { captures, unchanged, proposals, kept, moved, removed, added } = agreement;
  if (captures === 0) return console.log("No capture is accepted yet.");
  console.log(`Accepted with unchanged proposals: ${unchanged} of ${countOf(captures, "capture")}.`);
  console.log(`Kept: ${kept} of ${countOf(proposals, "proposal")}, ${moved} of them moved.`);
  console.log(`Deleted or relabelled: ${removed}. Added: ${countOf(added, "object")}.`);
}

function noCaptures(folder: string, streams: readonly string[] | undefined): MultiboxError {
  const of = streams ? ` of ${streams.map((stream) => `"${stream}"`).join(", ")}` : "";
  return new MultiboxError("CAPTURE_UNKNOWN", `There are no captures${of} in ${folder}.`, "Capture some frames first.");
}

function report({ failures, ...done }: Proposed, model: string, json: boolean): void {
  for (const failure of failures) console.error(`multibox: ${failure}`);
  if (json) return console.log(JSON.stringify({ model, ...done, failed: failures.length }));
  const { captures, boxesBefore, boxes, reviewed, isStopped } = done;
  if (isStopped) console.log("Stopped before all were looked at; what has new proposals keeps them.");
  console.log(
    `${countOf(captures, "capture has", "captures have")} new proposals by ${model}: ${countOf(boxes, "box", "boxes")}, ${boxesBefore} before.`,
  );
  if (reviewed > 0)
    console.log(
      `${countOf(reviewed, "capture was", "captures were")} left alone, because somebody has reviewed ${reviewed === 1 ? "it" : "them"}.`,
    );
}
