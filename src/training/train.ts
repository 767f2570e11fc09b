// A training: from a model and pictures with boxes to a model that was judged on pictures it has not learnt from.
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { MultiboxError } from "../errors.ts";
import type { Bundle, Provenance } from "../model/bundle.ts";
import { reportedLabels } from "../model/labels.ts";
import { writeFailure } from "../whole-file.ts";
import type { Batches } from "./batches.ts";
import {
  formerSplit,
  readCheckpoint,
  requireSame,
  type TrainIdentity,
  weightsHash,
  writeCheckpoint,
} from "./checkpoint.ts";
import type { Evaluation } from "./evaluate.ts";
import { judge, type JudgeOptions } from "./judge.ts";
import { type GivenData, type LearningData, prepareData } from "./learning-data.ts";
import { PicturePool } from "./pictures/picture-pool.ts";
import { likenesses } from "./likeness.ts";
import { newLabelWarnings } from "./new-labels.ts";
import { mergedCategories } from "./relabel.ts";
import { startingPoint } from "./starting-point.ts";
import { usualLeastPatch } from "./augment/patches.ts";
import { openSupply } from "./supply.ts";
import { type Taken, takenEpoch } from "./taken-epoch.ts";
import { epochsWithin } from "./time-budget.ts";
import type { EpochRecord, TrainProgress } from "./train-events.ts";
import { type TrainSettings, Unlabelled } from "./train-settings.ts";
import { Trainee } from "./trainee.ts";
import { labelsAt, unlabelledColumns } from "./unlabelled-labels.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export interface TrainOptions {
  readonly given: GivenData;
  readonly parent: Bundle;
  /** `ssdlite-mobilenet-v2`, `yard@3`: what is written down as the parent. */
  readonly parentName: string;
  readonly settings: TrainSettings;
  /** For checkpoints and features; made where it is not there. Whoever has kept the result removes it. */
  readonly folder: string;
  /** Go on with the checkpoint in the folder, where there is one. */
  readonly resume: boolean;
  /** Between two checkpoints; there is one after each epoch, too. */
  readonly checkpointSeconds: number;
  /** Where `npm run tfjs:build` puts TensorFlow. */
  readonly cacheDir?: string | undefined;
  /** Ends the training after the step that it is at, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

/** What a training has made: the last that it tells. */
export interface TrainResult {
  readonly type: "done";
  /** With the weights of the epoch that was taken. Its name and version are those of the parent. */
  readonly bundle: Bundle;
  /** What a version of a model says of itself. */
  readonly facts: TrainFacts;
  /** Of the epoch that was taken: the best, or the last where that is not clearly worse. 0 where no epoch was better than the start. */
  readonly bestEpoch: number;
  readonly history: readonly EpochRecord[];
  /** Whether it ended early, because it became no better. */
  readonly stoppedEarly: boolean;
  readonly evaluation: Evaluation;
  readonly parentEvaluation: Evaluation;
  readonly data: LearningData;
}

export interface TrainFacts {
  /** ISO 8601. */
  readonly created: string;
  readonly parent: string;
  readonly metrics: Record<string, number>;
  readonly parentMetrics: Record<string, number>;
  /** Whether the verdict is that it is offered. */
  readonly offered: boolean;
  readonly verdict: Verdict;
  readonly data: { readonly hash: string; readonly pictures: number };
  readonly settings: Record<string, unknown>;
}

/** Settings of a checkpoint that a run may have chosen itself. */
const Chosen = z.object({ epochs: z.int().optional(), leastPatch: z.number().optional() });

/**
 * Trains, and tells what happens. The same data, parent, settings and number of threads give the same weights to the bit, however often the
 * training was interrupted. Fails with LABEL_UNKNOWN, LAYER_UNKNOWN, NOTHING_TO_LEARN, DATASET_EMPTY, VALIDATION_EMPTY, VALIDATION_OVERLAP,
 * RESUME_MISMATCH, CHECKPOINT_UNREADABLE, DISK_FULL, NOT_WRITABLE or ENGINE_MISSING, with TRAINING_DIVERGED where the loss is not a number any more, and with
 * INTERRUPTED.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainProgress | TrainResult, void> {
  const { parent, folder, signal } = options;
  const begun = performance.now();
  const threads = options.settings.threads || availableParallelism();
  const asked = { ...options.settings, threads };
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw writeFailure(cause, folder);
  });
  const pool = new PicturePool(parent.spec.input, Math.min(4, threads));
  try {
    const path = join(folder, "checkpoint.safetensors");
    const checkpoint = options.resume ? await readCheckpoint(path) : undefined;
    const former = checkpoint && formerSplit(checkpoint.identity);
    const data = yield* prepareData(options.given, { settings: asked, pool, signal, former });
    const { categories } = data.validation;
    const like = await likenesses(parent, data.training, {
      ...asked,
      merge: new Map(Object.entries(asked.merge)),
      signal,
    });
    const start = startingPoint(parent, categories, asked, like);
    const whole: TrainIdentity = { data: data.hash, parent: weightsHash(parent), settings: asked };
    if (checkpoint) requireSame(path, checkpoint.identity, whole);
    const mode = Unlabelled.parse((checkpoint?.identity ?? whole).settings["unlabelled"] ?? "background");
    const absent = unlabelledColumns(start, [...data.training.pictures, ...(data.replay?.pictures ?? [])]);
    const unlabelled = mode === "ignore" ? absent : undefined;
    const judged = async (bundle: Bundle, also?: JudgeOptions["also"]): Promise<Evaluation> =>
      await judge(bundle, data.validation, { threads, signal, also });
    // Under the names that the data have for what it says: the best that it can do without learning.
    const judgedParent = async (): Promise<Evaluation> =>
      await judged(parent, [
        ...mergedCategories(
          asked.merge,
          categories,
          parent.spec.labels.filter((label) => label !== null),
        ),
        ...categories.flatMap((category) =>
          like.has(category.name) ? [[like.get(category.name)!, category] as const] : [],
        ),
      ]);
    // What a run chose when it began is what it goes on with.
    const chosen = checkpoint && Chosen.safeParse(checkpoint.identity.settings).data;
    const leastPatch = chosen?.leastPatch ?? asked.leastPatch ?? usualLeastPatch(data.split);
    const supply = await openSupply({
      data,
      start,
      unlabelled,
      pool,
      settings: { ...asked, leastPatch },
      folder,
      cacheDir: options.cacheDir,
    });
    try {
      let parentEvaluation: Evaluation | undefined;
      let epochs = chosen?.epochs ?? asked.epochs;
      if (asked.minutes !== undefined && !checkpoint) {
        const before = performance.now();
        parentEvaluation = await judgedParent();
        const validationMs = performance.now() - before;
        // The start is judged before the first epoch, too, and the epoch that is taken at the end once more.
        const leftMs = asked.minutes * 60_000 - (performance.now() - begun) - 2 * validationMs;
        epochs = await epochsWithin({ ...supply, leftMs, validationMs, signal });
      }
      const settings = { ...asked, leastPatch, epochs };
      const identity = checkpoint?.identity ?? { ...whole, settings };
      const { engine, batches } = supply;
      const isFormer = former !== undefined;
      const trainee = new Trainee({ start, engine, settings, steps: batches.steps, checkpoint, isFormer });
      yield {
        type: "start",
        engine: engine.description,
        training: data.training.pictures.length,
        validation: data.validation.pictures.length,
        split: data.split,
        labels: reportedLabels(start.bundle.spec.labels),
        known: [...start.known],
        unlabelled: labelsAt(start, absent),
        like: Object.fromEntries(like),
        epochs,
        steps: batches.steps,
        resumed: trainee.done,
        dataHash: data.hash,
        warnings: [...data.warnings, ...newLabelWarnings(start, data.training)],
      };
      const save = async (): Promise<void> => await writeCheckpoint(path, identity, trainee.checkpoint());
      let taken: Taken;
      try {
        parentEvaluation ??= await judgedParent();
        yield { type: "parent", figures: { ...parentEvaluation.figures } };
        const { checkpointSeconds } = options;
        yield* learn({ trainee, batches, settings, judged, save, checkpointSeconds, signal });
        const { seed, schedule } = settings;
        const isComplete = schedule !== "constant" && trainee.state.epoch === epochs;
        taken = await takenEpoch({ trainee, judged, validation: data.validation, seed, isComplete });
      } catch (error) {
        if (!signal?.aborted || !isInterruption(error)) throw error;
        await save();
        yield { type: "checkpoint", step: trainee.done };
        throw interruptedAt(trainee.done, epochs * batches.steps);
      }

      const { history } = trainee.state;
      const { epoch: bestEpoch, bundle, evaluation } = taken;
      const verdict = verdictOf({
        images: data.validation.pictures,
        categories,
        before: parentEvaluation.found,
        after: evaluation.found,
        // A start with new labels is another model than its parent, even if no epoch was better.
        isChanged: bestEpoch > 0 || start.added.length > 0,
        seed: settings.seed,
      });
      yield {
        type: "done",
        bundle: { ...bundle, provenance: provenanceOf(options) },
        facts: {
          created: new Date().toISOString(),
          parent: options.parentName,
          metrics: { ...evaluation.figures },
          parentMetrics: { ...parentEvaluation.figures },
          offered: verdict.outcome === "offered",
          verdict,
          data: { hash: data.hash, pictures: data.training.pictures.length },
          settings: {
            ...identity.settings,
            unlabelled: mode,
            blend: trainee.blend,
            like: Object.fromEntries(like),
            split: data.split,
          },
        },
        bestEpoch,
        history,
        stoppedEarly: trainee.state.epoch < epochs,
        evaluation,
        parentEvaluation,
        data,
      };
    } finally {
      await supply.close();
    }
  } finally {
    await pool.close();
  }
}

interface LearnOptions extends Pick<TrainOptions, "checkpointSeconds" | "signal"> {
  readonly trainee: Trainee;
  readonly batches: Batches;
  readonly settings: Pick<TrainSettings, "epochs">;
  /** On the validation set. */
  readonly judged: (bundle: Bundle) => Promise<Evaluation>;
  readonly save: () => Promise<void>;
}

/** Goes through the epochs that are left. Fails as a step does, or with INTERRUPTED between two steps. */
async function* learn(options: LearnOptions): AsyncGenerator<TrainProgress, void> {
  const { trainee, batches, settings, judged, save, signal } = options;
  const { state } = trainee;
  const endEpoch = async (): Promise<TrainProgress> => {
    const { figures } = await judged(trainee.now());
    return { type: "epoch", ...trainee.endEpoch(figures), epochs: settings.epochs };
  };
  let saved = performance.now();
  const checkpoint = async (): Promise<TrainProgress> => {
    await save();
    saved = performance.now();
    return { type: "checkpoint", step: trainee.done };
  };
  // What it begins with may be the best there is.
  if (state.history.length === 0) yield await endEpoch();
  while (state.epoch < settings.epochs && !trainee.isTired) {
    let begun = performance.now();
    for await (const batch of batches.epoch(state.epoch, state.step)) {
      if (signal?.aborted) throw interrupted();
      const step = await trainee.step(batch);
      const milliseconds = performance.now() - begun;
      state.seconds += milliseconds / 1000;
      yield { ...step, milliseconds };
      if (performance.now() - saved > options.checkpointSeconds * 1000) yield await checkpoint();
      begun = performance.now();
    }
    yield await endEpoch();
    yield await checkpoint();
  }
}

function interrupted(): MultiboxError {
  return new MultiboxError("INTERRUPTED", "Stopped.");
}

function isInterruption(error: unknown): boolean {
  return error instanceof MultiboxError && error.code === "INTERRUPTED";
}

function interruptedAt(step: number, steps: number): MultiboxError {
  return new MultiboxError("INTERRUPTED", `Stopped after step ${step} of ${steps}.`, "Go on with --resume.");
}

/** Where the weights come from, told on from model to model. */
function provenanceOf({ parent, parentName, given }: TrainOptions): Provenance {
  const { source, licence } = parent.provenance;
  return { source: `${parentName} (${source}), trained on ${given.data.source}`, licence };
}
