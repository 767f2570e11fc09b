// Labels of a data set that are new to a model: meant, or misspelt.
import { countOf } from "../count.ts";
import { nearest } from "../model/nearest-name.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { Dataset } from "./truth.ts";

/** A sentence for each label that the model gets in addition to its own, with how often it occurs and what it may have been meant to be. */
export function newLabelWarnings(
  { known, added, columnOf, bundle }: Pick<StartingPoint, "known" | "added" | "columnOf" | "bundle">,
  { pictures }: Pick<Dataset, "pictures">,
): string[] {
  // A model that knows none of the labels is trained for other ones; none of them is a slip.
  if (known.length === 0) return [];
  const counts = new Map<string | null | undefined, number>();
  for (const { categoryId } of pictures.flatMap(({ objects }) => objects)) {
    const label = bundle.spec.labels[columnOf.get(categoryId)!];
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return added.map((label) => {
    const count = counts.get(label) ?? 0;
    const near = nearest(label, known);
    const question = near.length === 0 ? "" : ` Did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`;
    return `The label "${label}" is new to the model: ${countOf(count, "object")}.${question}`;
  });
}
