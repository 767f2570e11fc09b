// A data set under other labels: several merged into one, or only some of them asked for.
import { MultiboxError } from "../errors.ts";
import { mapLabels } from "./label-map.ts";
import type { TrainSettings } from "./train-settings.ts";
import type { Category, Dataset, Truth } from "./truth.ts";

/** New names of categories, by old ones; what is in no list keeps its own. */
type Names = ReadonlyMap<string, string>;

/**
 * The data set with its categories merged, and where `labels` is a list with only these, in its order; objects of others are left out, and
 * count as background. What VOC calls difficult is ignored from here on as COCO's crowds are. Fails with LABEL_UNKNOWN.
 */
export function relabel(dataset: Dataset, { merge, labels }: Pick<TrainSettings, "merge" | "labels">): Dataset {
  const names = newNames(merge);
  requireKnown([...names.keys()], dataset.categories);
  const nameOf = new Map(dataset.categories.map(({ id, name }) => [id, names.get(name) ?? name]));
  const all = [...new Set([...Object.keys(merge), ...nameOf.values()])];
  if (Array.isArray(labels))
    requireKnown(
      labels,
      all.map((name, id) => ({ id, name })),
    );
  const wanted = Array.isArray(labels) ? [...new Set(labels)] : all;
  const categories = wanted.map((name, i) => ({ id: i + 1, name }));
  const idOf = new Map(categories.map(({ id, name }) => [name, id]));
  const move = (truth: Truth): Truth[] => {
    const categoryId = idOf.get(nameOf.get(truth.categoryId)!);
    return categoryId === undefined ? [] : [{ ...truth, categoryId, crowd: truth.crowd || truth.difficult }];
  };
  const pictures = dataset.pictures.map((picture) => ({ ...picture, objects: picture.objects.flatMap(move) }));
  return { ...dataset, format: "coco", categories, pictures };
}

/** Labels of a model, each with the category that stands for it after merging; labels that were not merged are not in it. */
export function mergedCategories(
  merge: TrainSettings["merge"],
  categories: readonly Category[],
  labels: readonly string[],
): ReadonlyMap<string, Category> {
  const names = newNames(merge);
  const olds = [...names.keys()].map((name, id) => ({ id, name }));
  return new Map(
    [...mapLabels(labels, olds).categoryOf].flatMap(([label, old]) => {
      const category = categories.find(({ name }) => name === names.get(old.name));
      return category ? [[label, category] as const] : [];
    }),
  );
}

/** Fails with LABEL_UNKNOWN for an old label that shall become two. */
function newNames(merge: TrainSettings["merge"]): Names {
  const names = new Map<string, string>();
  for (const [name, olds] of Object.entries(merge)) {
    for (const old of olds) {
      const other = names.get(old);
      if (other !== undefined && other !== name) {
        const sentence = `"${old}" cannot become both "${other}" and "${name}".`;
        throw new MultiboxError("LABEL_UNKNOWN", sentence, "Merge it into one of them.");
      }
      names.set(old, name);
    }
  }
  return names;
}

function requireKnown(names: readonly string[], categories: readonly Category[]): void {
  const known = new Set(categories.map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const hint = `It has: ${[...known].join(", ")}.`;
  throw new MultiboxError("LABEL_UNKNOWN", `The data set has no label "${unknown}".`, hint);
}
