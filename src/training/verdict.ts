// Whether a trained model is offered: what the validation images say of it, and how sure that is.
import { changeOfAp, type Change } from "./bootstrap.ts";
import type { Category, DataPicture, Found } from "./truth.ts";

/** `not judged`: there is too little to judge by. */
export type Outcome = "offered" | "not offered" | "not judged";

export interface Verdict {
  readonly outcome: Outcome;
  /** For people. */
  readonly reason: string;
  /** Of AP, from the parent to the model; absent where nothing was learnt. */
  readonly change?: Change;
  /** What it was judged by. */
  readonly images: number;
  readonly objects: number;
}

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
  /** Whether any epoch was better than the start. */
  readonly isChanged: boolean;
  readonly seed: number;
}

/** A model is offered where it is not worse than its parent with a confidence of 90 %. */
export function verdictOf({ images, categories, before, after, isChanged, seed }: Judged): Verdict {
  const objects = images.reduce((sum, image) => sum + image.objects.filter(({ crowd }) => !crowd).length, 0);
  const basis = { images: images.length, objects };
  if (!isChanged)
    return { ...basis, outcome: "not offered", reason: "Nothing was learnt: no epoch was better than the start." };
  const change = changeOfAp(images, before, after, categories, { seed });
  const interval = `AP changed by ${points(change.change)} points, 90 % interval ${points(change.low)} to ${points(change.high)}`;
  if (images.length < LEAST_IMAGES || objects < LEAST_OBJECTS) {
    const reason = `Not judged: ${count(images.length, "validation image")} with ${count(objects, "object")} say too little (at least ${LEAST_IMAGES} and ${LEAST_OBJECTS}). ${interval}.`;
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

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
