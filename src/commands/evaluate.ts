// `multibox evaluate`: how good a model is on a data set, in the figures of COCO or PASCAL VOC, and how fast.
import { countOf } from "../count.ts";
import type { Config } from "../config.ts";
import type { Detector } from "../model/detector.ts";
import { openDetector } from "../model/detector-pool.ts";
import type { PostProcessSpec } from "../model/spec.ts";
import { drawCurves } from "../training/curves.ts";
import { openDataset } from "../training/dataset.ts";
import { evaluate, type Evaluation } from "../training/evaluate.ts";
import type { Dataset, Found } from "../training/truth.ts";
import { requireWritable, writeWhole } from "../whole-file.ts";
import { printForMachines, printForPeople, type Report } from "./evaluation-report.ts";
import { findShown } from "./model-folder.ts";
import { untilSignal } from "./terminal.ts";

export interface EvaluateCommandOptions extends Pick<
  Config,
  "model" | "engine" | "precision" | "workers" | "maxBatch"
> {
  readonly cacheDir: string;
  readonly data: string;
  readonly format?: Dataset["format"] | undefined;
  readonly annotations?: string | undefined;
  readonly split?: string | undefined;
  readonly limit?: number | undefined;
  /** What is left out is as the model was published. */
  readonly postProcess: Partial<PostProcessSpec>;
  readonly difficult: "ignore" | "count";
  /** Where to write the curves as an SVG, and the detections in COCO's results format. */
  readonly curves?: string | undefined;
  readonly detections?: string | undefined;
  readonly json: boolean;
}

/** Prints the figures and returns how many pictures could not be read; these are named on standard error. */
export async function evaluateModel(options: EvaluateCommandOptions): Promise<number> {
  const outputs = [options.curves, options.detections].filter((path) => path !== undefined);
  for (const path of outputs) await requireWritable(path);
  const { data, format, annotations, split, limit } = options;
  const dataset = await openDataset({ folder: data, format, annotations, split, limit });
  const detector = await open(options);
  let evaluation: Evaluation;
  try {
    evaluation = await run(detector, dataset, options.difficult === "count");
  } finally {
    await detector.close();
  }
  const report: Report = { ...detector.info, source: dataset.source, evaluation };
  if (options.detections !== undefined) await writeWhole(options.detections, resultLines(evaluation.found));
  if (options.curves !== undefined) {
    const title = `${report.model.name}: precision over recall, ${countOf(evaluation.pictures, "image")}`;
    await writeWhole(options.curves, [drawCurves({ title, ...evaluation })]);
  }
  for (const warning of evaluation.warnings) console.error(`warning: ${warning}`);
  for (const failure of evaluation.failures) console.error(failure);
  if (options.json) printForMachines(report);
  else printForPeople(report);
  return evaluation.failures.length;
}

async function open({
  model,
  engine,
  precision,
  workers,
  maxBatch,
  cacheDir,
  postProcess,
}: EvaluateCommandOptions): Promise<Detector> {
  const { folder } = await findShown(model, cacheDir, engine);
  return openDetector({ folder, engine, precision, cacheDir, workers, maxBatch, postProcess });
}

function run(detector: Detector, dataset: Dataset, countDifficult: boolean): Promise<Evaluation> {
  return untilSignal(async (signal, onProgress) => {
    // The first batch of a session is slow, and would stand in the speed.
    await detector.warmUp();
    return await evaluate(detector, dataset, { countDifficult, signal, onProgress });
  });
}

/** COCO's results format, a detection a line: the whole of a large data set would be too long for one string. */
function* resultLines(found: readonly Found[]): Generator<string, void> {
  yield "[";
  for (const [i, { pictureId, categoryId, bbox, score }] of found.entries()) {
    const result = { image_id: pictureId, category_id: categoryId, bbox, score };
    yield `${i === 0 ? "\n" : ",\n"}${JSON.stringify(result)}`;
  }
  yield "\n]\n";
}
