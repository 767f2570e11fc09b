// How data are split into images to train on and images that validate: the setting, and what it came to.
import { z } from "zod";

/** How a data set is split in two. */
export const SplitBy = z.enum(["auto", "time", "hash", "day"]);
export type SplitBy = z.infer<typeof SplitBy>;

/** What a split came to, as events, `version.json`, the report and the API have it. */
export const SplitRecord = z.strictObject({
  by: z
    .enum(["time", "order", "hash", "day", "validation"])
    .describe(
      "time: the last images of each stream validate. order: the last in the order of the data set. hash: groups of look-alikes. day: whole days. validation: a data set of its own.",
    ),
  training: z.int().describe("Images that are trained on."),
  validation: z.int().describe("Images that validate."),
  gap: z.int().describe("Images between the two that are used by neither."),
  streams: z.int().optional().describe("By time: of how many streams or cameras the last images validate."),
});
export type SplitRecord = z.infer<typeof SplitRecord>;
