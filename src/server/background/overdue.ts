// Which works that have ended are deleted by themselves, and the ids that works have.
import { randomInt } from "node:crypto";
import type { Retention } from "../retention.ts";
import { isoTime } from "../streams/streams.ts";

/** Begins with the time at which it is made, in milliseconds since the epoch. */
export function newId(created: number): string {
  const random = randomInt(36 ** 4).toString(36);
  return `${isoTime(created).replaceAll(/[-:.Z]/g, "")}-${random.padStart(4, "0")}`;
}

interface Bounds {
  /** Of all works, those that have not ended too. */
  readonly count: number;
  readonly maxCount: number;
  readonly retention: Pick<Retention, "cutoff" | "allowance" | "deleted"> | undefined;
}

/** Of works that have ended: the oldest where there are too many, and as many that are too old as may go now. */
export function overdue<T extends { readonly ended?: number | undefined }>(over: readonly T[], bounds: Bounds): T[] {
  const { count, maxCount, retention } = bounds;
  const oldestFirst = over.toSorted((a, b) => (a.ended ?? 0) - (b.ended ?? 0));
  const excess = Math.max(0, count - maxCount);
  const rest = oldestFirst.slice(excess);
  const expired = rest
    .filter(({ ended = 0 }) => retention !== undefined && ended < retention.cutoff)
    .slice(0, retention?.allowance(count) ?? 0);
  retention?.deleted(expired.length, count);
  return [...oldestFirst.slice(0, excess), ...expired];
}
