// Trainings as HTTP and the WebSocket tell of them, and what may be asked of one.
import { z } from "zod";
import { EpochRecord } from "../../training/train-events.ts";
import { SplitRecord } from "../../training/split-record.ts";
import { TrainSettings } from "../../training/train-settings.ts";
import { Verdict } from "../../training/verdict.ts";
import { ErrorBody } from "../api/error-body.ts";
import { ModelReference } from "../models/named-model.ts";
import { JobState } from "../jobs/job-schemas.ts";
import { plainText } from "../plain-text.ts";
import { recordOf } from "../../record-of.ts";

const MOST_EPOCHS = 1000;
const MOST_LABELS = 1000;

/** Of a training that a server does. On the command line labels are divided by commas, and `data` and `all` are no labels. */
const Label = plainText(100)
  .trim()
  .min(1)
  .regex(/^[^,=]+$/, "must not contain a comma or an equals sign");
const someLabels = z.array(Label).min(1).max(MOST_LABELS);

export const ServerTrainSettings = TrainSettings.extend({
  epochs: TrainSettings.shape.epochs
    .unwrap()
    .max(MOST_EPOCHS)
    .default(20)
    .describe("How often the data are gone through."),
  labels: z
    .union([
      z.enum(["data", "all"]),
      someLabels.refine(
        ([one, ...more]) => more.length > 0 || (one !== "data" && one !== "all"),
        "is a word for several",
      ),
    ])
    .default("all")
    .describe(TrainSettings.shape.labels.description!),
  merge: recordOf(Label, someLabels).default({}).describe("New labels, each for several of the data set's."),
  freeze: plainText(4096).default("base").describe(TrainSettings.shape.freeze.description!),
  threads: z
    .int()
    .min(0)
    .max(1024)
    .default(0)
    .describe("Threads of the engine; 0 for half as many as there are cores."),
});
export type ServerTrainSettings = z.infer<typeof ServerTrainSettings>;

const folder = plainText(4096);

/** `POST /v1/trainings`. */
export const NewTraining = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
      "must be 1 to 64 letters, digits, '-' or '_', beginning with a letter or digit",
    )
    .optional()
    .describe("What is learnt becomes the next version of this model; that of `from` when absent."),
  from: ModelReference.optional().describe(
    "What it begins with: a name, which means its version in use, or name@version; the server's own model when absent.",
  ),
  data: folder
    .optional()
    .describe(
      "A data set (COCO, PASCAL VOC or captures) under one of the folders of the setting fileRoots; the captures that were accepted when absent.",
    ),
  validation: folder.optional().describe("A data set there to judge by; a part of the data when absent."),
  replay: folder.optional().describe("A data set there of older pictures, mixed in against forgetting."),
  settings: ServerTrainSettings.optional().describe("As `multibox train` has them."),
});
export type NewTraining = z.infer<typeof NewTraining>;
/** As it is sent: what is left out has its default. */
export type TrainingRequest = z.input<typeof NewTraining>;

export const TrainingProgress = z.strictObject({
  phase: z
    .enum(["starting", "looking", "training"])
    .describe(
      "looking: each picture is read once, before anything is learnt; training: judging after each epoch, too.",
    ),
  pictures: z.strictObject({ done: z.int(), total: z.int() }).optional().describe("That were looked at."),
  epoch: z.int().optional().describe("From 1 on; 0 while what it begins with is judged."),
  epochs: z.int().optional(),
  step: z.int().optional().describe("Of all epochs, before a restart too."),
  steps: z.int().optional().describe("Of all epochs."),
  boxLoss: z.number().optional().describe("Of the last step."),
  classLoss: z.number().optional(),
  lr: z.number().optional().describe("The learning rate."),
  stepMs: z.number().optional().describe("How long a step takes, waiting for its pictures included."),
  secondsLeft: z.int().optional().describe("About, for the steps alone."),
  seconds: z.int().describe("Since this server has taken it up."),
});
export type TrainingProgress = z.infer<typeof TrainingProgress>;

const Figures = recordOf(z.string(), z.number());

/** What is told of a training and kept of it as it is told. */
export const trainingFacts = {
  id: z.string(),
  state: JobState,
  name: z.string().describe("What is learnt becomes a version of this model."),
  from: z.string().describe("What it begins with."),
  captures: z.int().optional().describe("How many captures it learns from and is judged by; absent for a data set."),
  data: z.string().optional().describe("The data set's folder; absent for captures."),
  validation: z.string().optional(),
  replay: z.string().optional(),
  engine: z.string().optional().describe("`onnx:cpu, 2 threads`"),
  pictures: z
    .strictObject({ training: z.int(), validation: z.int() })
    .optional()
    .describe("How many are learnt from, and how many the model is judged by."),
  split: SplitRecord.optional().describe("How the data were split, once they were read."),
  labels: z.array(z.string()).optional().describe("That the model will know."),
  warnings: z.array(z.string()).optional().describe("What is odd in the data."),
  parentMetrics: Figures.optional().describe(
    "Of what it begins with, on the validation pictures: `AP`, `AP50` and so on.",
  ),
  metrics: Figures.optional().describe("Of the best epoch so far, and of the model once it is done."),
  bestEpoch: z
    .int()
    .optional()
    .describe(
      "So far the best epoch; once it is done the one that the model is of: the last where that is not clearly worse than the best. 0 where no epoch was better than the start.",
    ),
  stoppedEarly: z.boolean().optional().describe("It became no better."),
  version: z.int().optional().describe("Of the model that was made."),
  offered: z
    .boolean()
    .optional()
    .describe("Whether that is not worse than what it began with, as far as `verdict` can tell."),
  verdict: Verdict.optional(),
  error: ErrorBody.optional().describe(
    "Why it failed. What it has learnt is kept until it is deleted, to be gone on with.",
  ),
};

export const TrainingInfo = z
  .strictObject({
    ...trainingFacts,
    settings: recordOf(z.string(), z.unknown()).describe("All of them, as `POST /v1/trainings` takes them."),
    created: z.string().describe("ISO 8601, as are the other times."),
    started: z.string().optional().describe("For the first time, where a restart came between."),
    ended: z.string().optional(),
    progress: TrainingProgress.optional().describe("While it runs."),
  })
  .meta({ id: "Training" });
export type TrainingInfo = z.infer<typeof TrainingInfo>;

export const TrainingDetail = TrainingInfo.extend({
  history: z.array(EpochRecord).describe("What each epoch came to."),
});
export type TrainingDetail = z.infer<typeof TrainingDetail>;
