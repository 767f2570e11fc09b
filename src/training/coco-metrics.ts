// COCO's twelve figures for boxes, step by step what pycocotools' COCOeval does, so that the numbers are the same.
import { matchPicture, type PictureObjects, type RankedPicture, rankPicture } from "./coco-matching.ts";
import { groupBy } from "./group-by.ts";
import type { Found, Truth } from "./truth.ts";

/** `numpy.linspace`: start + i * step, where the last is exact. */
function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? stop : i * step + start));
}

/** 0.5, 0.55 ... 0.95 */
export const IOU_THRESHOLDS: readonly number[] = linspace(0.5, 0.95, 10);
/** 0, 0.01 ... 1: where precision is read. */
export const RECALLS: readonly number[] = linspace(0, 1, 101);

/** Square pixels, both ends included. */
export const ANY_AREA = [0, 1e10] as const;
const AREAS = { all: ANY_AREA, small: [0, 32 ** 2], medium: [32 ** 2, 96 ** 2], large: [96 ** 2, 1e10] } as const;

/** Average precision (AP) and average recall (AR), 0..1; -1 where there is nothing to find. */
export interface CocoFigures {
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APsmall: number;
  readonly APmedium: number;
  readonly APlarge: number;
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARsmall: number;
  readonly ARmedium: number;
  readonly ARlarge: number;
}

export interface CocoClass {
  readonly categoryId: number;
  /** Crowds not counted. */
  readonly objects: number;
  readonly AP: number;
  readonly AP50: number;
  readonly AR100: number;
  /** At IoU 0.5, at each of `RECALLS`; empty where there is nothing to find. */
  readonly precision: readonly number[];
}

export interface CocoMetrics {
  readonly figures: CocoFigures;
  readonly classes: readonly CocoClass[];
  /** For each of `IOU_THRESHOLDS` the mean over classes, at each of `RECALLS`. */
  readonly curves: readonly (readonly number[])[];
}

/**
 * Judges detections as COCO does: 100 of a class in a picture count, equal scores keep the order in which they are given, and
 * classes without objects do not enter the means.
 */
export function cocoMetrics(
  truths: readonly Truth[],
  found: readonly Found[],
  categoryIds: readonly number[],
): CocoMetrics {
  const truthsOf = groupBy(truths, ({ categoryId }) => categoryId);
  const foundOf = groupBy(found, ({ categoryId }) => categoryId);
  const results = [...new Set(categoryIds)]
    .toSorted((a, b) => a - b)
    .map((categoryId) => {
      const pictures = byPicture(truthsOf.get(categoryId) ?? [], foundOf.get(categoryId) ?? []).map(rankPicture);
      const ranking = rankAll(pictures);
      const judge = (area: keyof typeof AREAS): Cell | undefined => judgeCell(pictures, ranking, AREAS[area]);
      const cells = { all: judge("all"), small: judge("small"), medium: judge("medium"), large: judge("large") };
      return { categoryId, cells };
    });
  type Kind = keyof (typeof results)[number]["cells"];
  const precision = (kind: Kind, threshold?: number): number =>
    mean(results.flatMap(({ cells }) => precisionOf(cells[kind], threshold)));
  const recall = (kind: Kind, limit: keyof Cell["recall"] = 100): number =>
    mean(results.flatMap(({ cells }) => cells[kind]?.recall[limit] ?? []));
  return {
    figures: {
      AP: precision("all"),
      AP50: precision("all", 0),
      AP75: precision("all", 5),
      APsmall: precision("small"),
      APmedium: precision("medium"),
      APlarge: precision("large"),
      AR1: recall("all", 1),
      AR10: recall("all", 10),
      AR100: recall("all"),
      ARsmall: recall("small"),
      ARmedium: recall("medium"),
      ARlarge: recall("large"),
    },
    classes: results.map(({ categoryId, cells: { all } }) => ({
      categoryId,
      objects: all?.objects ?? 0,
      AP: mean(precisionOf(all)),
      AP50: mean(precisionOf(all, 0)),
      AR100: mean(all?.recall[100] ?? []),
      precision: precisionOf(all, 0),
    })),
    curves: IOU_THRESHOLDS.map((_, threshold) => {
      const present = results.flatMap(({ cells: { all } }) => all ?? []);
      return RECALLS.map((__, at) => mean(present.map((cell) => cell.precision[threshold]![at]!)));
    }),
  };
}

/** One class and one range of areas, for each threshold: precision at each recall, and the last recall. */
interface Cell {
  readonly objects: number;
  readonly precision: readonly (readonly number[])[];
  /** With at most so many detections of a picture. */
  readonly recall: Readonly<Record<1 | 10 | 100, readonly number[]>>;
}

function precisionOf(cell: Cell | undefined, threshold?: number): readonly number[] {
  if (!cell) return [];
  return threshold === undefined ? cell.precision.flat() : cell.precision[threshold]!;
}

/** All detections of a class, best score first; of equal scores that of the first picture. */
interface Ranking {
  readonly picture: readonly number[];
  /** The detection's place within its picture. */
  readonly place: readonly number[];
}

function rankAll(pictures: readonly RankedPicture[]): Ranking {
  const all = pictures.flatMap(({ found }, picture) => found.map(({ score }, place) => ({ score, picture, place })));
  all.sort((a, b) => b.score - a.score);
  return { picture: all.map(({ picture }) => picture), place: all.map(({ place }) => place) };
}

/** COCOeval.accumulate; undefined where there is nothing to find. */
function judgeCell(
  pictures: readonly RankedPicture[],
  ranking: Ranking,
  area: readonly [number, number],
): Cell | undefined {
  const matches = pictures.map((picture) => matchPicture(picture, area, IOU_THRESHOLDS));
  const objects = matches.reduce((sum, { wanted }) => sum + wanted, 0);
  if (objects === 0) return undefined;
  const precision: number[][] = [];
  const recall: Record<1 | 10 | 100, number[]> = { 1: [], 10: [], 100: [] };
  const count = ranking.place.length;
  const precisions = new Float64Array(count);
  const recalls = new Float64Array(count);
  for (let threshold = 0; threshold < IOU_THRESHOLDS.length; threshold++) {
    const right = { 1: 0, 10: 0, 100: 0 };
    let wrong = 0;
    for (let rank = 0; rank < count; rank++) {
      const picture = ranking.picture[rank]!;
      const place = ranking.place[rank]!;
      const { matched, ignored } = matches[picture]!;
      const at = threshold * pictures[picture]!.found.length + place;
      if (ignored[at] === 0) {
        if (matched[at] === 1) {
          right[100] += 1;
          if (place < 10) right[10] += 1;
          if (place < 1) right[1] += 1;
        } else {
          wrong += 1;
        }
      }
      recalls[rank] = right[100] / objects;
      precisions[rank] = right[100] / (wrong + right[100] + Number.EPSILON);
    }
    for (const limit of [1, 10, 100] as const) recall[limit].push(right[limit] / objects);
    precision.push(readAt(recalls, precisions));
  }
  return { objects, precision, recall };
}

/** Precision at each of `RECALLS`: the best at that recall or beyond; 0 where it is not reached. Overwrites `precisions`. */
function readAt(recalls: Float64Array, precisions: Float64Array): number[] {
  for (let i = precisions.length - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let at = 0;
  return RECALLS.map((wanted) => {
    while (at < recalls.length && recalls[at]! < wanted) at += 1;
    return precisions[at] ?? 0;
  });
}

/** A class's pictures in the order of their ids. */
function byPicture(truths: readonly Truth[], found: readonly Found[]): PictureObjects[] {
  const truthsOf = groupBy(truths, ({ pictureId }) => pictureId);
  const foundOf = groupBy(found, ({ pictureId }) => pictureId);
  const ids = [...new Set([...truthsOf.keys(), ...foundOf.keys()])].sort((a, b) => a - b);
  return ids.map((id) => ({ truths: truthsOf.get(id) ?? [], found: foundOf.get(id) ?? [] }));
}

/** -1 of nothing, as pycocotools says it. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
