// PASCAL VOC's average precision: VOC2007's at eleven recalls, and the area under the curve of VOC2010 and later.
import { type Box, iou } from "../model/detection.ts";
import { groupBy } from "./group-by.ts";
import type { Found, Truth } from "./truth.ts";

export interface VocOptions {
  /** A detection is right from this IoU on; 0.5 where absent, as in the challenges. */
  readonly iouThreshold?: number;
  /** Ask for `difficult` objects too. The challenges do not: to find one is neither right nor wrong. */
  readonly countDifficult?: boolean;
}

/** AP is 0..1; -1 where there is nothing to find. */
export interface VocClass {
  readonly categoryId: number;
  /** Those that are asked for. */
  readonly objects: number;
  readonly AP2007: number;
  readonly AP2010: number;
  /** After each detection in descending order of score, those not counted left out. */
  readonly recall: readonly number[];
  readonly precision: readonly number[];
}

export interface VocMetrics {
  /** Means over the classes that have objects. */
  readonly figures: { readonly mAP2007: number; readonly mAP2010: number };
  readonly classes: readonly VocClass[];
}

/**
 * Judges detections as the VOC devkit does (`VOCevaldet.m`). Boxes are the house's: the devkit's `+1` for its inclusive pixels is
 * in their sizes (see voc-dataset.ts).
 */
export function vocMetrics(
  truths: readonly Truth[],
  found: readonly Found[],
  categoryIds: readonly number[],
  options: VocOptions = {},
): VocMetrics {
  const truthsOf = groupBy(truths, ({ categoryId }) => categoryId);
  const foundOf = groupBy(found, ({ categoryId }) => categoryId);
  const classes = [...new Set(categoryIds)].map((categoryId) => {
    const judged = judge(truthsOf.get(categoryId) ?? [], foundOf.get(categoryId) ?? [], options);
    return { categoryId, ...judged };
  });
  const present = classes.filter(({ objects }) => objects > 0);
  const mean = (values: readonly number[]): number =>
    values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    figures: {
      mAP2007: mean(present.map(({ AP2007 }) => AP2007)),
      mAP2010: mean(present.map(({ AP2010 }) => AP2010)),
    },
    classes,
  };
}

function judge(
  truths: readonly Truth[],
  found: readonly Found[],
  { iouThreshold = 0.5, countDifficult = false }: VocOptions,
): Omit<VocClass, "categoryId"> {
  const byPicture = groupBy(truths, ({ pictureId }) => pictureId);
  const skipped = (truth: Truth): boolean => truth.difficult && !countDifficult;
  const objects = truths.filter((truth) => !skipped(truth)).length;
  const taken = new Set<Truth>();
  const recall: number[] = [];
  const precision: number[] = [];
  let right = 0;
  let wrong = 0;
  for (const { pictureId, bbox } of [...found].sort((a, b) => b.score - a.score)) {
    const { best, overlap } = mostOverlapped(bbox, byPicture.get(pictureId) ?? []);
    if (best && overlap >= iouThreshold) {
      if (skipped(best)) continue;
      // A second one on the same object is wrong, even where it overlaps another that is free.
      if (taken.has(best)) wrong += 1;
      else right += 1;
      taken.add(best);
    } else {
      wrong += 1;
    }
    recall.push(right / objects);
    precision.push(right / (right + wrong));
  }
  if (objects === 0) return { objects, AP2007: -1, AP2010: -1, recall: [], precision: [] };
  return { objects, AP2007: elevenPoint(recall, precision), AP2010: area(recall, precision), recall, precision };
}

function mostOverlapped(box: Box, truths: readonly Truth[]): { best: Truth | undefined; overlap: number } {
  let best: Truth | undefined;
  let overlap = -Infinity;
  for (const truth of truths) {
    const found = iou(box, truth.bbox);
    if (found <= overlap) continue;
    best = truth;
    overlap = found;
  }
  return { best, overlap };
}

/**
 * Mean of the best precision at recall 0, 0.1 ... 1 or beyond. The recalls are i * 0.1 in doubles, as in the Python ports of the
 * devkit: 3 objects of 10 do not reach 0.30000000000000004, there and here.
 */
function elevenPoint(recall: readonly number[], precision: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i <= 10; i++) {
    const reached = precision.filter((_, at) => recall[at]! >= i * 0.1);
    sum += reached.reduce((best, value) => Math.max(best, value), 0);
  }
  return sum / 11;
}

/** The area under the curve, after precision was raised to the best at that recall or beyond. */
function area(recall: readonly number[], precision: readonly number[]): number {
  let sum = 0;
  let best = 0;
  for (let at = recall.length - 1; at >= 0; at--) {
    best = Math.max(best, precision[at]!);
    sum += (recall[at]! - (recall[at - 1] ?? 0)) * best;
  }
  return sum;
}
