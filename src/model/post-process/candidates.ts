// Which default boxes may hold which class: logits against the threshold, before any box is decoded.

/** What the network says of one picture, flat: `boxes * 4` offsets and `boxes * classes` logits, and where they begin. */
export interface Heads {
  readonly offsets: Float32Array;
  readonly offsetsAt: number;
  readonly logits: Float32Array;
  readonly logitsAt: number;
}

/** What of the logits counts: `reported` has one byte for each class, 0 for the background and gaps in the ids. */
export interface Threshold {
  readonly boxes: number;
  readonly reported: Uint8Array;
  readonly minScore: number;
}

/** Pairs of box and class, in rising order of `keys`, which are `box * classes + class`. Grows, and is used again. */
export class Candidates {
  count = 0;
  keys = new Uint32Array(1024);
  scores = new Float64Array(1024);
  /** The scores byte by byte, for sorting. */
  bytes = new Uint8Array(this.scores.buffer);

  add(key: number, score: number): void {
    if (this.count === this.keys.length) this.#grow();
    this.keys[this.count] = key;
    this.scores[this.count++] = score;
  }

  #grow(): void {
    const { keys, scores } = this;
    this.keys = new Uint32Array(keys.length * 2);
    this.keys.set(keys);
    this.scores = new Float64Array(scores.length * 2);
    this.scores.set(scores);
    this.bytes = new Uint8Array(this.scores.buffer);
  }
}

/** Finds the candidates of one picture, `found` being emptied first. A logit that is no number makes none. */
export type FindCandidates = (heads: Heads, found: Candidates) => void;

/**
 * What a logit must reach, or of a softmax its lead over the background's, for a score of `minScore`; up to rounding. A sigmoid's is no
 * higher than 16, where scores begin to be 1. A score of a softmax is at most exp(logit - background).
 */
export function leastLogit(scores: "sigmoid" | "softmax", minScore: number): number {
  return scores === "sigmoid" ? Math.min(Math.log(minScore / (1 - minScore)), 16) : Math.log(minScore);
}

export function sigmoidCandidates({ boxes, reported, minScore }: Threshold): FindCandidates {
  const classes = reported.length;
  // The sigmoid rises, so the threshold is moved to the logits and only the few that pass it are exponentiated. A hair lower,
  // for logarithms are rounded: the score itself decides.
  const minLogit = leastLogit("sigmoid", minScore) - 1e-6;
  return ({ logits, logitsAt }, found) => {
    found.count = 0;
    const end = logitsAt + boxes * classes;
    for (let at = nextAtLeast(logits, logitsAt, end, minLogit); at < end;) {
      const key = at - logitsAt;
      const score = 1 / (1 + Math.exp(-logits[at]!));
      if (score >= minScore && reported[key % classes] === 1) found.add(key, score);
      at = nextAtLeast(logits, at + 1, end, minLogit);
    }
  };
}

export function softmaxCandidates({ boxes, reported, minScore }: Threshold): FindCandidates {
  const classes = reported.length;
  // Most boxes are background beyond doubt and need no softmax.
  const minGap = leastLogit("softmax", minScore);
  const first = reported[0] === 1 ? 0 : 1;
  const powers = new Float64Array(classes);
  return ({ logits, logitsAt }, found) => {
    found.count = 0;
    for (let box = 0; box < boxes; box++) {
      const at = logitsAt + box * classes;
      const end = at + classes;
      if (nextAtLeast(logits, at + first, end, logits[at]! + minGap) === end) continue;
      let top = logits[at]!;
      for (let i = at + 1; i < end; i++) if (logits[i]! > top) top = logits[i]!;
      let sum = 0;
      for (let classId = 0; classId < classes; classId++) {
        powers[classId] = Math.exp(logits[at + classId]! - top);
        sum += powers[classId]!;
      }
      for (let classId = first; classId < classes; classId++) {
        const score = powers[classId]! / sum;
        // So written that a sum which is no number makes no candidate.
        if (score >= minScore && reported[classId] === 1) found.add(box * classes + classId, score);
      }
    }
  };
}

/**
 * The first place from `at` on whose value is at least `least`, or `end`. Nearly all values are below it: looking at eight in
 * one condition takes a third of the time of eight turns of a loop.
 */
function nextAtLeast(values: Float32Array, at: number, end: number, least: number): number {
  while (
    at + 8 <= end &&
    !(
      values[at]! >= least ||
      values[at + 1]! >= least ||
      values[at + 2]! >= least ||
      values[at + 3]! >= least ||
      values[at + 4]! >= least ||
      values[at + 5]! >= least ||
      values[at + 6]! >= least ||
      values[at + 7]! >= least
    )
  ) {
    at += 8;
  }
  while (at < end && !(values[at]! >= least)) at++;
  return at;
}
