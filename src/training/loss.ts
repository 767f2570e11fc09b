// The training objective of SSD and its gradient towards the network's heads (SSD paper, section 2.2, equations 1 to 3).
import type { SsdSpec } from "../model/spec.ts";
import { exp } from "./exp.ts";
import { mineNegatives } from "./hard-negatives.ts";
import { teachKind } from "./kinds.ts";
import { NEITHER, type PictureTargets } from "./match.ts";
import { negativeLoss } from "./unlabelled.ts";

/** float32 where networks run; float64 where gradients are held against differences. */
export type Floats = Float32Array | Float64Array;

/** `n * boxes * 4` offsets and `n * boxes * classes` logits, or what the loss changes by with each of them. */
export interface Heads<F extends Floats = Floats> {
  readonly offsets: F;
  readonly logits: F;
}

export interface LossOptions {
  /** What makes scores of the logits; the loss follows it. */
  readonly scores: SsdSpec["scores"];
  /** At most so many negatives for each matched box of a picture, the hardest ("Hard negative mining"). */
  readonly negativesPerMatch: number;
  /** So many at least, that a picture without objects teaches too; the paper has none. */
  readonly leastNegatives: number;
  /** For each column the first one that has its label, where labels have kinds. */
  readonly kinds?: Int32Array | undefined;
  /** 1 for each column whose label the model keeps although no object of the data has it; see negativeLoss. */
  readonly unlabelled?: Uint8Array | undefined;
}

/** Of the row of logits at `at`, whose column `label` should win. */
export type RowLoss = (logits: Floats, at: number, classes: number, label: number) => number;
/** The same's gradient, over `over`. */
export type RowGradient = (
  logits: Floats,
  out: Floats,
  at: number,
  classes: number,
  label: number,
  over: number,
) => void;

/** As the paper has it. */
export const PAPER_LOSS: Omit<LossOptions, "scores"> = { negativesPerMatch: 3, leastNegatives: 0 };

export interface Loss {
  /** Smooth L1 of the matched boxes' offsets. */
  readonly box: number;
  /** Of the classes, of matched boxes and mined negatives. */
  readonly class: number;
  /** N: matched boxes of the whole batch. */
  readonly matched: number;
  readonly negatives: number;
}

/**
 * (smooth L1 + classes) / N over a batch, with N its matched boxes; 0, with a gradient of 0, where N is 0. Writes the gradient to
 * `gradient`, which is as large as `heads`. For a part of a batch, `matched` is N of the whole.
 *
 * softmax: cross entropy, as in the paper. sigmoid: binary cross entropies summed over all columns, where that of the background is
 * a class like others (1 for negatives), as the TensorFlow Object Detection API trains the models that have such scores; negatives are
 * mined by the same sum. A box without an object may hold one of a label that nobody has marked (`unlabelled`).
 */
export function ssdLoss(
  heads: Heads,
  targets: readonly PictureTargets[],
  gradient: Heads,
  options: LossOptions,
  matched: number = targets.reduce((sum, picture) => sum + picture.matched, 0),
): Loss {
  const boxes = targets[0]!.labels.length;
  const classes = heads.logits.length / (targets.length * boxes);
  gradient.offsets.fill(0);
  gradient.logits.fill(0);
  if (matched === 0) return { box: 0, class: 0, matched: 0, negatives: 0 };
  const sums = { box: 0, class: 0, negatives: 0 };
  const rowLoss: RowLoss = options.scores === "softmax" ? softmaxLoss : sigmoidLoss;
  const rowGradient: RowGradient = options.scores === "softmax" ? softmaxGradient : sigmoidGradient;
  const negative = options.unlabelled
    ? negativeLoss(options.scores, options.unlabelled)
    : { loss: rowLoss, gradient: rowGradient };
  const losses = new Float64Array(boxes);
  for (const [n, { labels, offsets, matched: own }] of targets.entries()) {
    const first = n * boxes;
    for (let i = 0; i < boxes; i++) {
      const lossOf = labels[i] === 0 ? negative.loss : rowLoss;
      losses[i] = labels[i] === NEITHER ? 0 : lossOf(heads.logits, (first + i) * classes, classes, labels[i]!);
    }
    const wanted = Math.max(own * options.negativesPerMatch, options.leastNegatives);
    const mined = mineNegatives(losses, labels, wanted);
    sums.negatives += mined.length;
    for (const i of mined) {
      sums.class += losses[i]!;
      negative.gradient(heads.logits, gradient.logits, (first + i) * classes, classes, 0, matched);
    }
    for (let i = 0; i < boxes; i++) {
      if (labels[i]! <= 0) continue;
      const row = { logits: heads.logits, gradient: gradient.logits, at: (first + i) * classes, label: labels[i]! };
      const ofKind = options.kinds && teachKind(options.kinds, { ...row, over: matched }, rowLoss, rowGradient);
      sums.class += ofKind ?? losses[i]!;
      if (ofKind === undefined) rowGradient(row.logits, row.gradient, row.at, classes, row.label, matched);
      for (let at = i * 4; at < i * 4 + 4; at++) {
        const apart = heads.offsets[first * 4 + at]! - offsets[at]!;
        sums.box += Math.abs(apart) < 1 ? 0.5 * apart * apart : Math.abs(apart) - 0.5;
        gradient.offsets[first * 4 + at] = Math.max(-1, Math.min(1, apart)) / matched;
      }
    }
  }
  return { box: sums.box / matched, class: sums.class / matched, matched, negatives: sums.negatives };
}

/** -log softmax of one column of the row at `at`. */
function softmaxLoss(logits: Floats, at: number, classes: number, label: number): number {
  const greatest = greatestOf(logits, at, classes);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += exp(logits[at + c]! - greatest);
  return Math.log(sum) + greatest - logits[at + label]!;
}

function softmaxGradient(logits: Floats, out: Floats, at: number, classes: number, label: number, over: number): void {
  const greatest = greatestOf(logits, at, classes);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += exp(logits[at + c]! - greatest);
  for (let c = 0; c < classes; c++) {
    out[at + c] = (exp(logits[at + c]! - greatest) / sum - (c === label ? 1 : 0)) / over;
  }
}

function greatestOf(logits: Floats, at: number, classes: number): number {
  let greatest = logits[at]!;
  for (let c = 1; c < classes; c++) greatest = Math.max(greatest, logits[at + c]!);
  return greatest;
}

/** log(1 + exp(x)) summed over the columns, less the wanted column's x. */
function sigmoidLoss(logits: Floats, at: number, classes: number, label: number): number {
  let sum = -logits[at + label]!;
  // One logarithm of a product for many columns: it is most of the time of a loss over hundreds of thousands of logits.
  let product = 1;
  for (let c = 0; c < classes; c++) {
    const logit = logits[at + c]!;
    // Beyond this exp(x) is all of 1 + exp(x), and products would overflow.
    if (logit > 40) sum += logit;
    else product *= 1 + exp(logit);
    if (product > 1e280) {
      sum += Math.log(product);
      product = 1;
    }
  }
  return sum + Math.log(product);
}

function sigmoidGradient(logits: Floats, out: Floats, at: number, classes: number, label: number, over: number): void {
  for (let c = 0; c < classes; c++) {
    out[at + c] = (1 / (1 + exp(-logits[at + c]!)) - (c === label ? 1 : 0)) / over;
  }
}
