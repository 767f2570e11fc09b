// Whether two implementations found the same objects: one to one, of the same class, nearly the same score and box.
import type { Detection } from "../../../src/model/detection.ts";
import { iou } from "../../support/boxes.ts";

/** `[class, score, x1, y1, x2, y2]` in pixels, as the parity scripts write a detection. */
export type Row = readonly [classId: number, score: number, x1: number, y1: number, x2: number, y2: number];

/** A row's box cut to a picture of this size, as ours are. */
export function cutRow([classId, score, ...corners]: Row, size: number): Row {
  return [classId, score, ...corners.map((side) => Math.min(size, Math.max(0, side)))] as unknown as Row;
}

export interface Match {
  /** Pairs of the same class with scores less than 1e-3 apart and an IoU above 0.99. */
  readonly pairs: number;
  /** What has no partner. */
  readonly onlyOurs: readonly Detection[];
  readonly onlyTheirs: readonly Row[];
}

/** Pairs each of theirs with the detection of ours that overlaps it most and has no partner yet. */
export function matchDetections(ours: readonly Detection[], theirs: readonly Row[]): Match {
  const free = new Map<number, Detection[]>();
  for (const one of ours) free.set(one.classId, [...(free.get(one.classId) ?? []), one]);
  const onlyTheirs: Row[] = [];
  for (const row of theirs) {
    const [classId, score, x1, y1, x2, y2] = row;
    const rivals = free.get(classId) ?? [];
    let best = -1;
    let overlap = 0.99;
    for (const [i, { bbox, score: other }] of rivals.entries()) {
      const found = Math.abs(other - score) < 1e-3 ? iou(bbox, [x1, y1, x2 - x1, y2 - y1]) : 0;
      if (found > overlap) [best, overlap] = [i, found];
    }
    if (best < 0) onlyTheirs.push(row);
    else rivals.splice(best, 1);
  }
  return { pairs: theirs.length - onlyTheirs.length, onlyOurs: [...free.values()].flat(), onlyTheirs };
}
