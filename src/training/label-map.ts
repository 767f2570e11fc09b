// Brings the labels of a model and the classes of a data set together, which often have different names for one thing.
import { groupBy } from "./group-by.ts";
import type { Category } from "./truth.ts";

/** PASCAL VOC's names for what COCO calls otherwise; docs/evaluate.md has the whole table. */
export const ALIASES: Readonly<Record<string, string>> = {
  aeroplane: "airplane",
  motorbike: "motorcycle",
  sofa: "couch",
  tvmonitor: "tv",
};

export interface LabelMap {
  /** The class for each label of the model that the data set has, too. */
  readonly categoryOf: ReadonlyMap<string, Category>;
  /** Classes that the model has no label for, and so cannot find. */
  readonly unknownToModel: readonly Category[];
  /** Classes that are one to the model, because their names are equal in this sense; the last of them has its label. */
  readonly alike: readonly (readonly Category[])[];
}

/** Names are equal whatever their case, spaces, hyphens and underscores, and where one is an alias of the other. */
export function mapLabels(labels: readonly string[], categories: readonly Category[]): LabelMap {
  const labelsOf = groupBy(labels, canonical);
  const categoryOf = new Map(
    categories.flatMap((category) =>
      (labelsOf.get(canonical(category.name)) ?? []).map((label) => [label, category] as const),
    ),
  );
  const unknownToModel = categories.filter(({ name }) => !labelsOf.has(canonical(name)));
  const known = categories.filter(({ name }) => labelsOf.has(canonical(name)));
  const groups = [...groupBy(known, ({ name }) => canonical(name)).values()];
  return { categoryOf, unknownToModel, alike: groups.filter(({ length }) => length > 1) };
}

function canonical(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[\s_-]/g, "");
  return Object.hasOwn(ALIASES, plain) ? ALIASES[plain]! : plain;
}
