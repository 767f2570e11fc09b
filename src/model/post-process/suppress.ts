// Non-maximum suppression over all classes in one descending pass: greedy ("hard"), or Gaussian Soft-NMS.
import type { Candidates } from "./candidates.ts";
import type { DecodedBoxes } from "./decoded-boxes.ts";
import type { PostProcessSpec } from "../spec.ts";

const NONE = -1;

/**
 * Chooses among the first `count` candidates of `order`, which is descending, and returns how many were kept; they are the first
 * ones of `kept.candidates`, best first. Soft-NMS lowers the scores of candidates and uses `order` up.
 */
export type Suppress = (candidates: Candidates, order: Uint32Array, count: number, boxes: DecodedBoxes) => number;

/** Boxes that were kept: those of one group (a class, or all classes) are a list, in the order in which they were kept. */
export class Kept {
  count = 0;
  readonly candidates: Uint32Array;
  readonly boxes: Uint32Array;
  readonly next: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;

  constructor(capacity: number, groups: number) {
    this.candidates = new Uint32Array(capacity);
    this.boxes = new Uint32Array(capacity);
    this.next = new Int32Array(capacity);
    this.#first = new Int32Array(groups);
    this.#last = new Int32Array(groups);
  }

  clear(): void {
    this.count = 0;
    this.#first.fill(NONE);
    this.#last.fill(NONE);
  }

  first(group: number): number {
    return this.#first[group]!;
  }

  add(candidate: number, box: number, group: number): void {
    const at = this.count++;
    this.candidates[at] = candidate;
    this.boxes[at] = box;
    this.next[at] = NONE;
    const last = this.#last[group]!;
    if (last === NONE) this.#first[group] = at;
    else this.next[last] = at;
    this.#last[group] = at;
  }
}

/** The group of each class: those of one group suppress each other. */
export type Groups = Int32Array;

/** A candidate is dropped when a better one of its group that was kept overlaps it by more than the threshold. */
export function createHardSuppress(
  { iouThreshold, maxDetections }: PostProcessSpec,
  groups: Groups,
  kept: Kept,
): Suppress {
  const classes = groups.length;
  return ({ keys }, order, count, boxes) => {
    kept.clear();
    for (let i = 0; i < count && kept.count < maxDetections; i++) {
      const key = keys[order[i]!]!;
      const classId = key % classes;
      const box = (key - classId) / classes;
      if (boxes.area(box) === 0) continue;
      const group = groups[classId]!;
      let rival = kept.first(group);
      while (rival !== NONE && !(boxes.iou(box, kept.boxes[rival]!) > iouThreshold)) rival = kept.next[rival]!;
      if (rival === NONE) kept.add(order[i]!, box, group);
    }
    return kept.count;
  };
}

/**
 * Soft-NMS (Bodla et al., ICCV 2017, section 3, the Gaussian): each box that is kept multiplies the scores of the rest of its
 * group by exp(-IoU^2 / sigma), and what falls below the threshold is dropped. Scores only fall, so one is brought up to date
 * only when its candidate is the best by what was last known; that gives the same as updating all of them each time.
 */
export function createSoftSuppress(
  { minScore, softSigma, maxDetections }: PostProcessSpec,
  groups: Groups,
  kept: Kept,
): Suppress {
  const classes = groups.length;
  // For each candidate the kept box that last lowered its score.
  let lowered = new Int32Array(0);
  return ({ keys, scores, count: all }, order, count, boxes) => {
    kept.clear();
    if (lowered.length < all) lowered = new Int32Array(scores.length);
    lowered.fill(NONE, 0, all);
    // A descending order is a heap.
    let size = count;
    while (size > 0 && kept.count < maxDetections) {
      const candidate = order[0]!;
      const key = keys[candidate]!;
      const classId = key % classes;
      const box = (key - classId) / classes;
      const group = groups[classId]!;
      const seen = lowered[candidate]!;
      let rival = seen === NONE ? kept.first(group) : kept.next[seen]!;
      let gone = rival === NONE;
      if (boxes.area(box) === 0) {
        gone = true;
      } else if (rival === NONE) {
        kept.add(candidate, box, group);
      } else {
        let score = scores[candidate]!;
        for (; rival !== NONE; rival = kept.next[rival]!) {
          score *= Math.exp(-(boxes.iou(box, kept.boxes[rival]!) ** 2) / softSigma);
          lowered[candidate] = rival;
        }
        scores[candidate] = score;
        gone = score < minScore;
      }
      if (gone) order[0] = order[--size]!;
      siftDown(order, size, scores);
    }
    return kept.count;
  };
}

/** Puts the candidate at the top of a heap at its place: those with better scores stand above it, or equal ones with lower keys. */
function siftDown(heap: Uint32Array, size: number, scores: Float64Array): void {
  const candidate = heap[0]!;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= size) break;
    if (child + 1 < size && isBetter(heap[child + 1]!, heap[child]!, scores)) child++;
    if (!isBetter(heap[child]!, candidate, scores)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = candidate;
}

function isBetter(a: number, b: number, scores: Float64Array): boolean {
  return scores[a]! > scores[b]! || (scores[a] === scores[b] && a < b);
}
