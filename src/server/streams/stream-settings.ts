// What can be set of a stream besides where its pictures come from, as zod schemas: rate, weight, model, and what is kept.
import { z } from "zod";
import { plainText } from "../plain-text.ts";
import { recordOf } from "../../record-of.ts";

const share = z.number().min(0).max(1);
const Label = plainText(64);

const LabelLimits = z
  .strictObject({
    minScore: share.optional().describe("Detections of the label below it are left out."),
    minSize: share.optional().describe("Boxes with a smaller share of the picture's area are left out."),
    maxSize: share.optional().describe("Boxes with a larger share of the picture's area are left out."),
  })
  .refine(({ minSize = 0, maxSize = 1 }) => minSize <= maxSize, { error: "minSize must not be above maxSize" });

const Polygon = z
  .array(z.tuple([share, share]))
  .min(3)
  .max(64);
const Zones = z.array(Polygon).min(1).max(16);

const CaptureRules = z
  .strictObject({
    everySeconds: z.number().min(0.1).max(86_400).optional().describe("A frame as often as this."),
    score: z
      .strictObject({ from: share, to: share })
      .refine(({ from, to }) => from <= to, { error: "from must not be above to" })
      .optional()
      .describe("Frames with a detection whose score lies between: what the model is unsure of."),
    labels: z.array(Label).min(1).max(1000).optional().describe("A frame when one of these labels comes into sight."),
    countChanges: z.boolean().optional().describe("A frame when there are more or fewer objects of a label."),
    share: share.optional().describe("So many of all frames, by chance."),
    minGapSeconds: z.number().min(0).max(86_400).optional().describe("None for so long after one; 1 when absent."),
    skipSimilar: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        "Not one whose perceptual hash differs in at most this number of 64 bits from a kept one's; 4 when absent.",
      ),
  })
  .describe("Which frames are kept to be learned from: those that any of the rules wants.");

/** Every one may be absent. */
export const streamSettings = {
  maxFps: z
    .number()
    .min(0.01)
    .max(240)
    .optional()
    .describe("The most frames a second that are detected; every one that the detector has time for when absent."),
  priority: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe("When there is more than the detector can do, 2 gets twice the frames of 1. 1 when absent."),
  model: plainText(1024).optional().describe("The model that looks at it; the server's when absent."),
  labels: z.array(Label).min(1).max(1000).optional().describe("Only these labels are kept; all when absent."),
  minScore: share.optional().describe("Detections below it are left out; it can only raise the server's."),
  limits: recordOf(Label, LabelLimits).optional().describe("Scores and sizes that detections must have, by label."),
  include: Zones.optional().describe(
    "Polygons of [x, y] from 0 to 1. Only objects that stand in one of them are kept; all when absent.",
  ),
  exclude: Zones.optional().describe("Polygons of [x, y] from 0 to 1. Objects that stand in one of them are left out."),
  capture: CaptureRules.optional(),
  paused: z.boolean().optional().describe("It is kept, but nothing is decoded until it is resumed."),
};
