// `multibox captures label` and `multibox captures agreement`: proposals by a slower look, and how far people followed proposals.
import type { Config } from "../config.ts";
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import { openDetector } from "../model/detector-pool.ts";
import type { PostProcessSpec } from "../model/spec.ts";
import type { Grid } from "../model/tiles.ts";
import { propose, type Proposed } from "../server/captures/propose.ts";
import { lockDataDir } from "../server/data-dir.ts";
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
  readonly stream: string | undefined;
}

/**
 * Returns how many captures could not be read. Fails with DATA_DIR_IN_USE while a server runs, with CAPTURE_UNKNOWN where there are none, with
 * LABEL_UNKNOWN, or as the model or the disk does.
 */
export async function labelCaptures(options: LabelOptions): Promise<number> {
  const { dataDir, bounds, labels, stream, grid, json } = options;
  const unlock = lockDataDir(dataDir);
  try {
    const store = await openStore({ dataDir, bounds });
    const captures = store.list(stream === undefined ? {} : { stream });
    if (captures.length === 0) throw noCaptures(store.folder, stream);
    const { folder } = await findShown(options.model, options.cacheDir, options.engine);
    const maxBatch = Math.min(8, grid.columns * grid.rows + 1);
    const detector = await openDetector({ ...options, folder, maxBatch });
    try {
      requireLabels(labels, detector.info.labels);
      const done = await untilSignal((signal, onProgress) =>
        propose(store, captures, { detector, grid, labels, signal, onProgress }),
      );
      report(done, `${detector.info.model.name}@${detector.info.model.version}`, json);
      return done.failures.length;
    } finally {
      await detector.close();
    }
  } finally {
    unlock();
  }
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

function noCaptures(folder: string, stream: string | undefined): MultiboxError {
  const of = stream === undefined ? "" : ` of the stream "${stream}"`;
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
