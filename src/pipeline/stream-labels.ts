// Labels that a stream's settings name and its model does not have: such a filter matches nothing.
import type { StreamConfig } from "./stream.ts";

export interface MissingLabels {
  /** Of its filter `labels`. */
  readonly filter: readonly string[];
  /** Of its `limits`, and of its rules for captures. */
  readonly limits: readonly string[];
  readonly capture: readonly string[];
  /** Nothing can pass its filter. */
  readonly isBlind: boolean;
}

/** Undefined where the model, with these labels, has all that the stream names. */
export function missingLabels(
  { labels, limits, capture }: Pick<StreamConfig, "labels" | "limits" | "capture">,
  known: readonly string[],
): MissingLabels | undefined {
  const has = new Set(known);
  const missing = (names: readonly string[] | undefined): string[] => (names ?? []).filter((name) => !has.has(name));
  const filter = missing(labels);
  const found = { filter, limits: missing(Object.keys(limits ?? {})), capture: missing(capture?.labels) };
  if (found.filter.length + found.limits.length + found.capture.length === 0) return undefined;
  return { ...found, isBlind: labels !== undefined && filter.length === labels.length };
}

/** Sentences about what a stream's settings name in vain. */
export function missingSentences({ filter, limits, capture, isBlind }: MissingLabels): string[] {
  const named = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");
  const sentences = [];
  if (isBlind) sentences.push(`Nothing is reported: the model has none of the labels of the filter, ${named(filter)}.`);
  else if (filter.length > 0) sentences.push(`The model does not have ${named(filter)}, which the filter names.`);
  if (limits.length > 0) sentences.push(`The model does not have ${named(limits)}, which limits are set for.`);
  if (capture.length > 0) sentences.push(`The model does not have ${named(capture)}, which captures wait for.`);
  return sentences;
}
