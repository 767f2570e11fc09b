// Labels that have several logits, each for a kind: what is taught is the label, and of which kind it is stays the model's own matter.
import type { SsdSpec } from "../model/spec.ts";
import type { Floats, RowGradient, RowLoss } from "./loss.ts";

/** For each column the first one that has its label; undefined where each label has one. */
export function kindsOf({ labels }: Pick<SsdSpec, "labels">): Int32Array | undefined {
  const kinds = Int32Array.from(labels, (label, column) => (label === null ? column : labels.indexOf(label)));
  return kinds.some((first, column) => first !== column) ? kinds : undefined;
}

/**
 * The loss of a matched row at `at` whose label's kinds begin with column `label`, and its gradient: of these the surest should win, as if
 * the others were not there, which therefore neither rise nor fall. Undefined where the label has one kind.
 */
export function teachKind(
  kinds: Int32Array,
  { logits, gradient, at, label, over }: Row,
  rowLoss: RowLoss,
  rowGradient: RowGradient,
): number | undefined {
  const own: number[] = [];
  const columns: number[] = [];
  for (let column = 0; column < kinds.length; column++) (kinds[column] === label ? own : columns).push(column);
  if (own.length === 1) return undefined;
  columns.push(own.reduce((best, column) => (logits[at + column]! > logits[at + best]! ? column : best)));
  const row = Float64Array.from(columns, (column) => logits[at + column]!);
  const towards = new Float64Array(row.length);
  rowGradient(row, towards, 0, row.length, row.length - 1, over);
  for (const [i, column] of columns.entries()) gradient[at + column] = towards[i]!;
  return rowLoss(row, 0, row.length, row.length - 1);
}

interface Row {
  readonly logits: Floats;
  readonly gradient: Floats;
  readonly at: number;
  readonly label: number;
  /** What the gradient is divided by. */
  readonly over: number;
}
