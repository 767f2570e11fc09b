// What a training tells while it goes on, as data that can be sent.
import { z } from "zod";
import { recordOf } from "../record-of.ts";
import { SplitRecord } from "./split-record.ts";

const Figures = recordOf(z.string(), z.number()).describe("`AP`, `AP50` and so on, as `multibox evaluate` has them.");

const LookEvent = z.object({
  type: z.literal("look"),
  done: z.int(),
  total: z.int().describe("Pictures, each of which is read once before anything is learnt."),
});

const StartEvent = z.object({
  type: z.literal("start"),
  engine: z.string().describe("`onnx:cpu, 2 threads`"),
  training: z.int().describe("Pictures that are learnt from."),
  validation: z.int().describe("Pictures that the model is judged by."),
  split: SplitRecord.optional().describe("How the data were split."),
  labels: z.array(z.string()),
  known: z.array(z.string()).describe("Labels that the parent knew."),
  unlabelled: z
    .array(z.string())
    .default([])
    .describe("Labels of the model that no object of the training images has."),
  like: recordOf(z.string(), z.string()).describe(
    "New labels, each with the parent's label that it begins as, and that the parent is judged by.",
  ),
  epochs: z.int(),
  steps: z.int().describe("Of an epoch."),
  resumed: z.int().describe("Steps that an interrupted run has done already."),
  dataHash: z.string(),
  warnings: z.array(z.string()),
});

const StepEvent = z.object({
  type: z.literal("step"),
  epoch: z.int().describe("From 1 on."),
  step: z.int().describe("Of all epochs, from 1 on."),
  steps: z.int().describe("Of all epochs."),
  boxLoss: z.number(),
  classLoss: z.number(),
  matched: z.int().describe("Default boxes that have an object."),
  lr: z.number(),
  norm: z.number().describe("Of all gradients, before they are clipped."),
  milliseconds: z.number().describe("Of the step, waiting for its batch included."),
});

/** What an epoch came to. */
export const EpochRecord = z.object({
  epoch: z.int().describe("From 1 on; 0 is what the training began with."),
  boxLoss: z.number().nullable().describe("Mean over its steps; null for epoch 0."),
  classLoss: z.number().nullable(),
  lr: z.number().describe("At its end."),
  seconds: z.number(),
  figures: Figures.describe("On the validation pictures."),
  best: z.boolean().describe("Whether none before was as good."),
});
export type EpochRecord = z.infer<typeof EpochRecord>;

const EpochEvent = EpochRecord.extend({ type: z.literal("epoch"), epochs: z.int() });

const ParentEvent = z.object({
  type: z.literal("parent"),
  figures: Figures.describe("Of the parent, on the same pictures."),
});

const CheckpointEvent = z.object({ type: z.literal("checkpoint"), step: z.int() });

/** All but the last one, which is `TrainResult` and depends on who asks. */
export const TrainProgress = z.discriminatedUnion("type", [
  LookEvent,
  StartEvent,
  ParentEvent,
  StepEvent,
  EpochEvent,
  CheckpointEvent,
]);
export type TrainProgress = z.infer<typeof TrainProgress>;
export type LookEvent = z.infer<typeof LookEvent>;
export type StepEvent = z.infer<typeof StepEvent>;
