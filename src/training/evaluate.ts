// Judges a detector on a data set: the figures of its format, of each class too, the curves behind them, and the speed.
import { countOf } from "../count.ts";
import type { Detector } from "../model/detector.ts";
import { sentenceOf } from "../errors.ts";
import { cocoMetrics, IOU_THRESHOLDS, RECALLS } from "./coco-metrics.ts";
import { detectDataset, type Speed } from "./detect-dataset.ts";
import { mapLabels } from "./label-map.ts";
import type { Category, Dataset, Found, Truth } from "./truth.ts";
import { type VocClass, vocMetrics } from "./voc-metrics.ts";

export interface EvaluateOptions {
  /** PASCAL VOC: ask for difficult objects too. */
  readonly countDifficult?: boolean;
  /** Labels with a class that each stands for, beside that of the same name. */
  readonly also?: readonly (readonly [label: string, category: Category])[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Figures by the names of their challenge (`AP50`, `mAP2007`), 0..1, -1 where there is nothing to find. */
export type Figures = Readonly<Record<string, number>>;

export interface ClassResult {
  readonly name: string;
  readonly objects: number;
  readonly figures: Figures;
}

/** Precision at recall 0, 0.01 ... 1. */
export interface Curve {
  readonly name: string;
  readonly precision: readonly number[];
}

export interface Evaluation {
  readonly format: Dataset["format"];
  /** Those that were read, and the objects on them that are asked for. */
  readonly pictures: number;
  readonly objects: number;
  readonly figures: Figures;
  readonly classes: readonly ClassResult[];
  /** Means over classes; for COCO at each of its ten IoUs, for VOC at 0.5. */
  readonly curves: readonly Curve[];
  /** At IoU 0.5, for each class that has objects. */
  readonly classCurves: readonly Curve[];
  readonly speed: Speed;
  readonly warnings: readonly string[];
  /** A sentence for each picture that was left out, because it could not be read. */
  readonly failures: readonly string[];
  readonly found: readonly Found[];
}

/** Detects what is on all pictures and judges it. Fails with INTERRUPTED, or as the detector does. */
export async function evaluate(
  detector: Detector,
  dataset: Dataset,
  { countDifficult = false, also = [], signal, onProgress }: EvaluateOptions = {},
): Promise<Evaluation> {
  const { labels } = detector.info;
  const { categoryOf, alike } = mapLabels(labels, dataset.categories);
  const categoriesOf = new Map(
    labels.map((label) => {
      const more = also.flatMap(([other, category]) => (other === label ? [category] : []));
      return [label, [...new Set([categoryOf.get(label) ?? [], more].flat())]];
    }),
  );
  const mapped = new Set([...categoriesOf.values()].flat());
  const twins = new Set(alike.flat());
  const unknownToModel = dataset.categories.filter((category) => !mapped.has(category) && !twins.has(category));
  const { found, failures, speed } = await detectDataset(detector, dataset.pictures, {
    categoriesOf,
    signal,
    onProgress,
  });
  const failed = new Set(failures.map(({ picture }) => picture));
  const pictures = dataset.pictures.filter((picture) => !failed.has(picture));
  const truths = pictures.flatMap(({ objects }) => objects);
  const judged =
    dataset.format === "voc" ? judgeVoc(dataset, truths, found, countDifficult) : judgeCoco(dataset, truths, found);
  return {
    format: dataset.format,
    pictures: pictures.length,
    objects: judged.classes.reduce((sum, { objects }) => sum + objects, 0),
    ...judged,
    speed,
    warnings: [...dataset.warnings, ...alike.map(alikeClasses), ...unknownClasses(unknownToModel, judged.classes)],
    failures: failures.map(({ picture, error }) => `${picture.file}: ${sentenceOf(error)}`),
    found,
  };
}

type Judged = Pick<Evaluation, "figures" | "classes" | "curves" | "classCurves">;

function judgeCoco({ categories }: Dataset, truths: readonly Truth[], found: readonly Found[]): Judged {
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  const { figures, classes, curves } = cocoMetrics(truths, found, [...nameOf.keys()]);
  return {
    figures: { ...figures },
    classes: classes.map(({ categoryId, objects, AP, AP50, AR100 }) => {
      return { name: nameOf.get(categoryId)!, objects, figures: { AP, AP50, AR100 } };
    }),
    curves: curves.map((precision, i) => ({ name: `IoU ${IOU_THRESHOLDS[i]!.toFixed(2)}`, precision })),
    classCurves: classes
      .filter(({ objects }) => objects > 0)
      .map(({ categoryId, precision }) => ({ name: nameOf.get(categoryId)!, precision })),
  };
}

function judgeVoc(
  { categories }: Dataset,
  truths: readonly Truth[],
  found: readonly Found[],
  countDifficult: boolean,
): Judged {
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  const { figures, classes } = vocMetrics(truths, found, [...nameOf.keys()], { countDifficult });
  const classCurves = classes
    .filter(({ objects }) => objects > 0)
    .map((one) => ({ name: nameOf.get(one.categoryId)!, precision: RECALLS.map((recall) => bestFrom(one, recall)) }));
  const mean = RECALLS.map((_, at) => {
    return classCurves.reduce((sum, { precision }) => sum + precision[at]!, 0) / Math.max(1, classCurves.length);
  });
  return {
    figures: { ...figures },
    classes: classes.map(({ categoryId, objects, AP2007, AP2010 }) => {
      return { name: nameOf.get(categoryId)!, objects, figures: { AP2007, AP2010 } };
    }),
    curves: [{ name: "IoU 0.50", precision: mean }],
    classCurves,
  };
}

/** The best precision at this recall or beyond; 0 where it is not reached. */
function bestFrom({ recall, precision }: VocClass, wanted: number): number {
  return precision.reduce((best, value, at) => (recall[at]! >= wanted ? Math.max(best, value) : best), 0);
}

/** Detections of one label cannot count for two classes. */
function alikeClasses(classes: readonly Category[]): string {
  const listed = classes.map(({ name }) => `"${name}"`).join(" and ");
  return `The classes ${listed} are one label of the model, whose detections count for "${classes.at(-1)!.name}" alone.`;
}

/** What the model cannot find counts as missed, and the reader of the figures must know. */
function unknownClasses(unknown: readonly { readonly name: string }[], classes: readonly ClassResult[]): string[] {
  if (unknown.length === 0) return [];
  const names = new Set(unknown.map(({ name }) => name));
  const objects = classes.reduce((sum, one) => (names.has(one.name) ? sum + one.objects : sum), 0);
  const listed = [...names].join(", ");
  return [
    `The model does not know ${unknown.length} of ${countOf(classes.length, "class", "classes")}, whose ${countOf(objects, "object counts", "objects count")} as missed: ${listed}.`,
  ];
}
