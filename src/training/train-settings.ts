// Everything about a training that is a number or a name, with its prose and default; kept with what it made.
import { z } from "zod";
import { recordOf } from "../record-of.ts";
import { SplitBy } from "./split-record.ts";

/** The engines that compute gradients. */
export const TRAIN_ENGINES = ["onnx:cpu", "tfjs:gpu", "tfjs:cpu", "tfjs:wasm"] as const;

/** What an unmarked place is for labels that no training image has an object of. Runs from before there was this setting have `background`. */
export const Unlabelled = z.enum(["ignore", "background"]);
export type Unlabelled = z.infer<typeof Unlabelled>;

/** What becomes of images that nearly are images of the validation set. Runs of version 0.1.0 do not have this setting. */
export const NearIdentical = z.enum(["check", "drop", "keep"]);

const share = z.number().min(0).max(1);

export const TrainSettings = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(20).describe("How often the data are gone through."),
  minutes: z
    .number()
    .positive()
    .max(10_080)
    .optional()
    .describe("About how long the run may take; how many epochs fit is then measured, and takes the place of epochs."),
  batch: z.int().min(1).max(256).default(8).describe("Pictures of a step."),
  lr: z.number().positive().max(10).default(0.002).describe("Learning rate after the warm-up."),
  schedule: z
    .enum(["cosine", "step", "constant"])
    .default("cosine")
    .describe("How the rate falls: along a cosine to 0, or to a tenth at 2/3 and 5/6 of the steps, as in the paper."),
  warmUp: z.int().min(0).max(100_000).default(50).describe("Steps in which the rate rises from 0."),
  momentum: z.number().min(0).max(0.9999).default(0.9).describe("Of the descent."),
  weightDecay: z.number().min(0).max(1).default(5e-4).describe("Of convolutions' weights."),
  clip: z
    .number()
    .min(0)
    .default(10)
    .describe("Longest that all gradients together may be; 0 for as long as they are."),
  freeze: z
    .string()
    .min(1)
    .default("base")
    .describe(
      "Layers that stay as they are: base, none, names with commas between them (base,extra*,head*.logits learns boxes alone), or how many from the first on.",
    ),
  variants: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe(
      "With a frozen base: in how many augmented forms each picture's features are kept on disk. 0 keeps none and makes new ones each epoch. If absent, as many as fit in 8 GB, at most 8.",
    ),
  augment: z.boolean().default(true).describe("Whether pictures are distorted, zoomed, cut and mirrored."),
  zoomOut: share
    .default(0)
    .describe("How often an augmented picture is zoomed out first, up to four times; 0.5 in the later release of SSD."),
  leastPatch: z
    .number()
    .min(0.1)
    .max(1)
    .optional()
    .describe(
      "Least size of the patches of augmented images: the geometric mean of width and height, as shares of the image's; 0.1 in the paper. If absent, 0.85 for frames that are split by time, since a fixed camera shows objects in one size, and 0.3 for others.",
    ),
  labels: z
    .union([z.enum(["data", "all"]), z.array(z.string().trim().min(1)).min(1)])
    .default("all")
    .describe(
      "Labels of the trained model: all of its parent's and the data set's new ones (all), only the data set's (data), or these of the data set.",
    ),
  unlabelled: Unlabelled.default("ignore").describe(
    "Labels that the model keeps and no training image has: an unmarked object of one is neither right nor wrong (ignore), or background.",
  ),
  merge: recordOf(z.string().trim().min(1), z.array(z.string().trim().min(1)).min(1))
    .default({})
    .describe("New labels, each for several of the data set's."),
  validationShare: share.default(0.2).describe("Share of the images that validate and are not trained on."),
  splitBy: SplitBy.default("auto").describe(
    "What validates: the last images of each stream (time), groups of look-alikes (hash), or whole days (day). auto: time for captures and for frames of a video, hash for other collections.",
  ),
  nearIdentical: NearIdentical.default("check").describe(
    "Images nearly identical to one of a validation set: left out, or an error where more than a tenth would be (check), left out (drop), or trained on (keep).",
  ),
  replayShare: z.number().min(0).max(0.95).default(0.3).describe("Share of an epoch's pictures from the replay set."),
  negativesPerMatch: z.number().min(0).max(1000).default(3).describe("Hard negatives for each matched default box."),
  leastNegatives: z.int().min(0).max(10_000).default(3).describe("Hard negatives of a picture, even of an empty one."),
  ema: z.number().min(0).max(0.99999).default(0.98).describe("Decay of a moving average of the weights; 0 for none."),
  blend: share
    .optional()
    .describe(
      "How far the model goes from its start to what was learnt. If absent, 0.5 where all labels that are learned are known to it, and 1 otherwise.",
    ),
  patience: z.int().min(0).default(0).describe("Epochs without a better figure after which it stops; 0 for never."),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe("The same seed and threads give the same bits."),
  engine: z.enum(TRAIN_ENGINES).default("onnx:cpu").describe("What computes the gradients."),
  threads: z.int().min(0).max(1024).default(0).describe("Threads of the engine; 0 for one a core."),
});
export type TrainSettings = z.infer<typeof TrainSettings>;
