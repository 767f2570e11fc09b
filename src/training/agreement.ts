// How far people followed what a model proposed: where they change nothing any more, review has become a formality.
import { type Box, iou } from "../model/detection.ts";
import type { Capture } from "./capture.ts";

/** A reviewed object stands for a proposal of its label from this intersection over union on. */
const SAME_OBJECT = 0.5;

/** Of accepted captures, in captures and in boxes. */
export interface Agreement {
  readonly captures: number;
  /** Captures whose proposals all stand as they were made. */
  readonly unchanged: number;
  readonly proposals: number;
  /** Proposals that stand, as they were made or moved. */
  readonly kept: number;
  /** Of these, those whose box was moved. */
  readonly moved: number;
  /** Proposals that were deleted or have another label. */
  readonly removed: number;
  /** Objects that were drawn, or have another label than was proposed. */
  readonly added: number;
}

/** Captures that nobody has accepted do not count, nor do imported ones, which had no proposals. */
export function agreementOf(captures: readonly Capture[]): Agreement {
  const sum = { captures: 0, unchanged: 0, proposals: 0, kept: 0, moved: 0, removed: 0, added: 0 };
  for (const { status, reason, proposed, objects } of captures) {
    if (status !== "accepted" || reason === "import") continue;
    const free = new Set(proposed.keys());
    let [kept, moved] = [0, 0];
    // Exact boxes first, so that none of them is taken for a neighbour's.
    const isSame = (a: Box, b: Box): boolean => a.every((value, i) => value === b[i]);
    const rest = objects.filter(({ bbox, label }) => {
      for (const at of free) {
        if (proposed[at]!.label !== label || !isSame(proposed[at]!.bbox, bbox)) continue;
        free.delete(at);
        kept += 1;
        return false;
      }
      return true;
    });
    for (const { bbox, label } of rest) {
      const near = [...free]
        .filter((i) => proposed[i]!.label === label)
        .map((i) => ({ i, overlap: iou(proposed[i]!.bbox, bbox) }))
        .filter(({ overlap }) => overlap >= SAME_OBJECT)
        .toSorted((a, b) => b.overlap - a.overlap)[0];
      if (!near) continue;
      free.delete(near.i);
      moved += 1;
    }
    const added = objects.length - kept - moved;
    sum.captures += 1;
    sum.unchanged += free.size + moved + added === 0 ? 1 : 0;
    sum.proposals += proposed.length;
    sum.kept += kept + moved;
    sum.moved += moved;
    sum.removed += free.size;
    sum.added += added;
  }
  return sum;
}
