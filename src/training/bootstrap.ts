// How sure a change of AP is: both models judged on the same resampled validation images, again and again (paired bootstrap).
import { matchPicture, rankPicture } from "./coco-matching.ts";
import { ANY_AREA, IOU_THRESHOLDS, RECALLS } from "./coco-metrics.ts";
import { groupBy } from "./group-by.ts";
import { random } from "../model/random.ts";
import type { Category, DataPicture, Found } from "./truth.ts";

/** A change of AP between two models, 0..1, with its 90 % percentile interval. */
export interface Change {
  readonly change: number;
  readonly low: number;
  readonly high: number;
  /** The share of resamples in which the second model is not worse, 0..1. */
  readonly notWorse: number;
  readonly resamples: number;
}

export interface BootstrapOptions {
  readonly seed: number;
  readonly resamples?: number;
  /** Of intersection over union, of which the mean is taken: [0.5] for AP50. COCO's ten when absent. */
  readonly thresholds?: readonly number[];
}

const MOST_RESAMPLES = 1000;
const LEAST_RESAMPLES = 200;
/** Detections at all thresholds that are gone through, in all: a few seconds of one core. */
const WORK = 4e8;
/** The ends of the interval. */
const [LOW, HIGH] = [0.05, 0.95];

/**
 * The change of COCO's AP from `before` to `after`, two models' detections on `images`. Each resample draws as many images as there are, with
 * replacement, and judges both models on them; classes without an object in a resample do not enter its mean. Source: Efron and Tibshirani, "An
 * Introduction to the Bootstrap" (1993), chapter 13.
 */
export function changeOfAp(
  images: readonly DataPicture[],
  before: readonly Found[],
  after: readonly Found[],
  categories: readonly Pick<Category, "id">[],
  { seed, resamples, thresholds = IOU_THRESHOLDS }: BootstrapOptions,
): Change {
  const rankings = [before, after].map((found) => rank(images, found, categories, thresholds)) as [
    ClassRanking[],
    ClassRanking[],
  ];
  const once = new Int32Array(images.length).fill(1);
  const difference = (weights: Int32Array): number =>
    weightedAp(rankings[1], weights) - weightedAp(rankings[0], weights);
  const size = rankings.flat().reduce((sum, { image }) => sum + image.length, 0) * thresholds.length;
  const count = resamples ?? Math.min(MOST_RESAMPLES, Math.max(LEAST_RESAMPLES, Math.floor(WORK / Math.max(1, size))));
  const next = random(seed);
  const weights = new Int32Array(images.length);
  const differences = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    weights.fill(0);
    for (let drawn = 0; drawn < images.length; drawn++) weights[Math.floor(next() * images.length)]! += 1;
    differences[i] = difference(weights);
  }
  differences.sort();
  const worse = differences.findIndex((value) => value >= 0);
  return {
    change: difference(once),
    low: quantile(differences, LOW),
    high: quantile(differences, HIGH),
    notWorse: worse === -1 ? 0 : 1 - worse / count,
    resamples: count,
  };
}

/** Detections of one class, best score first, matched once: a resample changes only how often each counts. */
interface ClassRanking {
  /** For each detection the place of its image. */
  readonly image: Int32Array;
  /** Thresholds x detections: 1 right, 0 wrong, -1 neither. */
  readonly outcome: Int8Array;
  /** For each image the objects that are to be found. */
  readonly wanted: Int32Array;
}

function rank(
  images: readonly DataPicture[],
  found: readonly Found[],
  categories: readonly Pick<Category, "id">[],
  thresholds: readonly number[],
): ClassRanking[] {
  const foundOn = groupBy(found, ({ pictureId }) => pictureId);
  return categories.map(({ id }) => {
    const wanted = new Int32Array(images.length);
    const all: { score: number; image: number; outcomes: readonly number[] }[] = [];
    for (const [image, { id: pictureId, objects }] of images.entries()) {
      const ranked = rankPicture({
        truths: objects.filter(({ categoryId }) => categoryId === id),
        found: (foundOn.get(pictureId) ?? []).filter(({ categoryId }) => categoryId === id),
      });
      const match = matchPicture(ranked, ANY_AREA, thresholds);
      wanted[image] = match.wanted;
      const size = ranked.found.length;
      for (const [place, { score }] of ranked.found.entries()) {
        const outcomes = thresholds.map((_, t) => {
          const at = t * size + place;
          return match.ignored[at] === 1 ? -1 : match.matched[at]!;
        });
        all.push({ score, image, outcomes });
      }
    }
    all.sort((a, b) => b.score - a.score);
    return {
      image: Int32Array.from(all, ({ image }) => image),
      outcome: Int8Array.from(thresholds.flatMap((_, t) => all.map(({ outcomes }) => outcomes[t]!))),
      wanted,
    };
  });
}

/** The mean of AP over classes and thresholds where image i stands `weights[i]` times in the set; -1 where there is nothing to find. */
function weightedAp(classes: readonly ClassRanking[], weights: Int32Array): number {
  let [sum, present] = [0, 0];
  for (const { image, outcome, wanted } of classes) {
    const objects = wanted.reduce((total, count, i) => total + count * weights[i]!, 0);
    if (objects === 0) continue;
    present += 1;
    if (image.length === 0) continue;
    const thresholds = outcome.length / image.length;
    for (let t = 0; t < thresholds; t++) {
      const at = t * image.length;
      sum += precisionSum(image, outcome.subarray(at, at + image.length), weights, objects) / thresholds;
    }
  }
  return present === 0 ? -1 : sum / (present * RECALLS.length);
}

/** The sum over `RECALLS` of the best precision at that recall or beyond. */
function precisionSum(image: Int32Array, outcome: Int8Array, weights: Int32Array, objects: number): number {
  const count = image.length;
  const precisions = new Float64Array(count);
  const recalls = new Float64Array(count);
  let [right, wrong] = [0, 0];
  for (let i = 0; i < count; i++) {
    const weight = weights[image[i]!]!;
    if (outcome[i] === 1) right += weight;
    else if (outcome[i] === 0) wrong += weight;
    recalls[i] = right / objects;
    precisions[i] = right / (right + wrong + Number.EPSILON);
  }
  for (let i = count - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let [sum, at] = [0, 0];
  for (const recall of RECALLS) {
    while (at < count && recalls[at]! < recall) at += 1;
    if (at < count) sum += precisions[at]!;
  }
  return sum;
}

/** The nearest rank. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
