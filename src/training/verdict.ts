// Whether a trained model is offered: what the validation images say of it, and how sure that is.
import { z } from "zod";
import { countOf } from "../count.ts";
import { changeOfAp } from "./bootstrap.ts";
import type { Category, DataPicture, Found } from "./truth.ts";

/** As `version.json`, the API and the events of `--json` have it. */
export const Verdict = z.strictObject({
  outcome: z
    .enum(["offered", "not offered", "not judged"])
    .describe(
      "`offered`: it is not worse than its parent, with a confidence of 90 %. `not judged`: there is too little to judge by.",
    ),
  reason: z.string().describe("For people."),
  images: z.int().describe("What it was judged by."),
  objects: z.int(),
  change: z
    .strictObject({
      change: z.number().describe("Of AP, 0..1."),
      low: z.number().describe("The 90 % interval's lower end."),
      high: z.number(),
      notWorse: z.number().describe("The share of resamples of the validation images in which it is not worse, 0..1."),
      resamples: z.int(),
    })
    .optional()
    .describe("Absent where nothing was learned."),
});
export type Verdict = z.infer<typeof Verdict>;

/** Fewer say nothing of a model. */
export const LEAST_IMAGES = 10;
export const LEAST_OBJECTS = 50;
/** The share of resamples in which an offered model is not worse. */
export const CONFIDENCE = 0.9;

export interface Judged {
  readonly images: readonly DataPicture[];
  readonly categories: readonly Category[];
  /** Detections of the parent and of the model on `images`. */
  readonly before: readonly Found[];
  readonly after: readonly Found[];
  /** Whether any epoch was better than the start, or the start has labels that are new. */
  readonly isChanged: boolean;
  readonly seed: number;
}

/** A model is offered where it is not worse than its parent with a confidence of 90 %. */
export function verdictOf({ images, categories, before, after, isChanged, seed }: Judged): Verdict {
  const objects = images.reduce((sum, image) => sum + image.objects.filter(({ crowd }) => !crowd).length, 0);
  const basis = { images: images.length, objects };
  if (!isChanged)
    return { ...basis, outcome: "not offered", reason: "Nothing was learned: no epoch was better than the start." };
  const change = changeOfAp(images, before, after, categories, { seed });
  const interval = `AP changed by ${points(change.change)} points, 90 % interval ${points(change.low)} to ${points(change.high)}`;
  if (images.length < LEAST_IMAGES || objects < LEAST_OBJECTS) {
    const reason = `${countOf(images.length, "validation image")} with ${countOf(objects, "object")} say too little (at least ${LEAST_IMAGES} and ${LEAST_OBJECTS}). ${interval}.`;
    return { ...basis, outcome: "not judged", reason, change };
  }
  const sure = `${Math.floor(change.notWorse * 100)} of 100 resamples of the validation images say that it is not worse`;
  return {
    ...basis,
    outcome: change.notWorse >= CONFIDENCE ? "offered" : "not offered",
    reason: `${interval}; ${sure}${change.notWorse >= CONFIDENCE ? "" : `, and ${CONFIDENCE * 100} are asked for`}.`,
    change,
  };
}

function points(change: number): string {
  const rounded = (change * 100).toFixed(1);
  return change > 0 ? `+${rounded}` : rounded;
}
