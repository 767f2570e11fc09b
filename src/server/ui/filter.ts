// Which detections are shown, and how many of each label.
import type { Detections } from "../protocol.ts";

type Detection = Detections["detections"][number];

export interface Filter {
  readonly minScore: number;
  /** Only these labels; all when empty. */
  readonly labels: readonly string[];
}

export const SHOW_ALL: Filter = { minScore: 0.5, labels: [] };

export function passing(detections: readonly Detection[], filter: Filter): Detection[] {
  const { minScore, labels } = filter;
  return detections.filter(({ score, label }) => score >= minScore && (labels.length === 0 || labels.includes(label)));
}

/** Labels in alphabetical order, which stays while the counts change. */
export function countLabels(detections: readonly Detection[]): readonly (readonly [label: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The model's label that was meant by a typed text, or undefined. */
export function findLabel(typed: string, labels: readonly string[]): string | undefined {
  const wanted = typed.trim().toLowerCase();
  return labels.find((label) => label.toLowerCase() === wanted);
}

/** A stored filter, or the default for anything that is not one. */
export function parseFilter(text: string | null): Filter {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value !== "object" || value === null || !("minScore" in value) || !("labels" in value)) return SHOW_ALL;
    const { minScore, labels } = value;
    if (typeof minScore !== "number" || !(minScore >= 0 && minScore <= 1) || !Array.isArray(labels)) return SHOW_ALL;
    return { minScore, labels: labels.filter((label) => typeof label === "string") };
  } catch {
    return SHOW_ALL;
  }
}
