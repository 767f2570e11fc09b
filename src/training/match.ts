// What the network should say of a picture: each truth is given to default boxes (SSD paper, section 2.2, "Matching strategy").
import { type CentreBox, encode, type Variances } from "../model/box-coder.ts";

/** An object as training knows it, in shares of the picture's sides. */
export interface Target {
  readonly box: CentreBox;
  /** The column of its logit; 0 is the background. */
  readonly label: number;
  /** A box around many objects, or one too hard to ask for: what lies in it teaches nothing. */
  readonly ignored?: boolean;
}

/** What one picture's heads should be, for each default box. */
export interface PictureTargets {
  /** Column of the logit that should win: 0 for the background, `NEITHER` where nothing is asked for. */
  readonly labels: Int32Array;
  /** Offsets to the truth, four a box; 0 where the label is not that of an object. */
  readonly offsets: Float32Array;
  /** How many boxes have an object. */
  readonly matched: number;
}

/** The label of a default box that is neither right nor wrong. */
export const NEITHER = -1;

/** Overlap beyond which a default box is given the truth that it overlaps most (section 2.2). */
const LEAST_IOU = 0.5;
/** Share of a default box that an ignored region covers, from which on it says nothing about the background. */
const COVERED = 0.5;

/** Gives truths to the default boxes `[cx, cy, width, height]` of one spec. */
export class Matcher {
  readonly #boxes: Float32Array;
  readonly #variances: Variances;

  constructor(boxes: Float32Array, variances: Variances) {
    this.#boxes = boxes;
    this.#variances = variances;
  }

  /** What the heads should be where these objects, and no others, are on the picture. */
  targetsOf(targets: readonly Target[]): PictureTargets {
    const truths = targets.filter(({ ignored }) => !ignored);
    const given = matchTruths(
      truths.map(({ box }) => box),
      this.#boxes,
    );
    const labels = new Int32Array(given.length);
    const offsets = new Float32Array(given.length * 4);
    let matched = 0;
    for (let i = 0; i < given.length; i++) {
      if (given[i] === -1) continue;
      const { box, label } = truths[given[i]!]!;
      labels[i] = label;
      offsets.set(encode(box, boxAt(this.#boxes, i), this.#variances), i * 4);
      matched += 1;
    }
    for (const { box, ignored } of targets) if (ignored) this.#ignore(box, labels);
    return { labels, offsets, matched };
  }

  #ignore(region: CentreBox, labels: Int32Array): void {
    for (let i = 0; i < labels.length; i++) {
      const box = boxAt(this.#boxes, i);
      if (labels[i] === 0 && shared(region, box) > COVERED * box[2] * box[3]) labels[i] = NEITHER;
    }
  }
}

/**
 * For each default box the truth it is given, or -1. First each truth takes the default box that it overlaps most, the best pair
 * first, so that two truths never share one (as in Caffe's release; a truth that overlaps no free box goes without). Then each
 * box that is left takes the truth that it overlaps most, if by an IoU of more than 0.5.
 */
export function matchTruths(truths: readonly CentreBox[], boxes: Float32Array): Int32Array {
  const count = boxes.length / 4;
  const given = new Int32Array(count).fill(-1);
  const ious = truths.map((truth) => overlaps(truth, boxes));
  const most = new Float64Array(count).fill(LEAST_IOU);
  for (const [t, iou] of ious.entries()) {
    for (let i = 0; i < count; i++) {
      if (iou[i]! <= most[i]!) continue;
      most[i] = iou[i]!;
      given[i] = t;
    }
  }
  const taken = new Set<number>();
  const waiting = new Map(ious.map((iou, t) => [t, bestFree(iou, taken)]));
  while (waiting.size > 0) {
    const [t, box] = [...waiting].reduce((best, pair) => (overlapOf(ious, pair) > overlapOf(ious, best) ? pair : best));
    waiting.delete(t);
    if (box === -1) continue;
    given[box] = t;
    taken.add(box);
    for (const [other, wanted] of waiting) if (wanted === box) waiting.set(other, bestFree(ious[other]!, taken));
  }
  return given;
}

function overlapOf(ious: readonly Float64Array[], [truth, box]: readonly [number, number]): number {
  return box === -1 ? 0 : ious[truth]![box]!;
}

/** The first of the boxes that are overlapped most and not taken; -1 where none is overlapped. */
function bestFree(iou: Float64Array, taken: ReadonlySet<number>): number {
  let best = -1;
  let most = 0;
  for (let i = 0; i < iou.length; i++) {
    if (iou[i]! <= most || taken.has(i)) continue;
    most = iou[i]!;
    best = i;
  }
  return best;
}

/** Flat, because it runs over thousands of boxes for each object of each picture. */
function overlaps([cx, cy, width, height]: CentreBox, boxes: Float32Array): Float64Array {
  const iou = new Float64Array(boxes.length / 4);
  const [left, top, right, bottom] = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
  for (let i = 0, at = 0; i < iou.length; i++, at += 4) {
    const [w, h] = [boxes[at + 2]!, boxes[at + 3]!];
    const across = Math.min(right, boxes[at]! + w / 2) - Math.max(left, boxes[at]! - w / 2);
    const down = Math.min(bottom, boxes[at + 1]! + h / 2) - Math.max(top, boxes[at + 1]! - h / 2);
    if (across > 0 && down > 0) iou[i] = (across * down) / (width * height + w * h - across * down);
  }
  return iou;
}

function shared(a: CentreBox, b: CentreBox): number {
  const across = Math.min(a[0] + a[2] / 2, b[0] + b[2] / 2) - Math.max(a[0] - a[2] / 2, b[0] - b[2] / 2);
  const down = Math.min(a[1] + a[3] / 2, b[1] + b[3] / 2) - Math.max(a[1] - a[3] / 2, b[1] - b[3] / 2);
  return Math.max(0, across) * Math.max(0, down);
}

function boxAt(boxes: Float32Array, i: number): CentreBox {
  return [boxes[i * 4]!, boxes[i * 4 + 1]!, boxes[i * 4 + 2]!, boxes[i * 4 + 3]!];
}
