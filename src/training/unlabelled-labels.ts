// Which labels a model keeps although no object of the training images has them.
import { reportedLabels } from "../model/labels.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { DataPicture } from "./truth.ts";

/**
 * One byte for each column of the logits: 1 where the parent knew the label and no object of these images has it. Undefined where there is
 * none. Labels that are new to the model are not among them: without objects they are trained as background, or they would stay random.
 */
export function unlabelledColumns(
  { bundle, known, columnOf }: Pick<StartingPoint, "bundle" | "known" | "columnOf">,
  pictures: Iterable<DataPicture>,
): Uint8Array | undefined {
  const { labels } = bundle.spec;
  const marked = new Set<string | null | undefined>();
  for (const { objects } of pictures) {
    for (const { categoryId, crowd } of objects) if (!crowd) marked.add(labels[columnOf.get(categoryId)!]);
  }
  const kept = new Set<string | null>(known);
  const columns = Uint8Array.from(labels, (label) => Number(label !== null && kept.has(label) && !marked.has(label)));
  return columns.includes(1) ? columns : undefined;
}

/** The labels of the columns that are 1, each once. */
export function labelsAt({ bundle }: Pick<StartingPoint, "bundle">, columns: Uint8Array | undefined): string[] {
  return reportedLabels(bundle.spec.labels.map((label, column) => (columns?.[column] === 1 ? label : null)));
}
