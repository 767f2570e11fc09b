// The loss of a default box without an object, where it may hold an object of a label that nobody has marked on the training images.
import type { SsdSpec } from "../model/spec.ts";
import { exp } from "./exp.ts";
import type { Floats, RowGradient, RowLoss } from "./loss.ts";

/** The loss of a default box without an object, and its gradient. */
export interface NegativeLoss {
  readonly loss: RowLoss;
  readonly gradient: RowGradient;
}

/**
 * The loss of a default box without an object where the labels of some columns were never marked: it holds the background or one of these.
 *
 * softmax: -log(p(background) + sum of p(unlabelled)), equation 5 of Cermelli et al., "Modeling the Background for Incremental Learning in
 * Semantic Segmentation", CVPR 2020.
 *
 * sigmoid: each column is a problem of its own. Those of unlabelled labels have no term, because nothing is known of them (the federated loss
 * of LVIS: Gupta et al., CVPR 2019, section 3). The background's has -log(1 - (1 - p(background)) * product of (1 - p(unlabelled))), the
 * probability that it is the background or one of these, with p(unlabelled) as a constant: a box that one of these explains
 * is neither a hard negative nor taught to be background.
 *
 * So no score of an unlabelled label is lowered.
 */
export function negativeLoss(scores: SsdSpec["scores"], unlabelled: Uint8Array): NegativeLoss {
  return scores === "softmax" ? softmaxNegatives(unlabelled) : sigmoidNegatives(unlabelled);
}

function softmaxNegatives(unlabelled: Uint8Array): NegativeLoss {
  const all = (): boolean => true;
  const own = (column: number): boolean => column === 0 || unlabelled[column] === 1;
  return {
    loss: (logits, at, classes) => logSum(logits, at, classes, all) - logSum(logits, at, classes, own),
    gradient(logits, out, at, classes, _label, over) {
      const [everything, allowed] = [logSum(logits, at, classes, all), logSum(logits, at, classes, own)];
      for (let c = 0; c < classes; c++) {
        const logit = logits[at + c]!;
        out[at + c] = (exp(logit - everything) - (own(c) ? exp(logit - allowed) : 0)) / over;
      }
    },
  };
}

/** The logarithm of the sum of exp(logit) over some columns, of which the background is one. */
function logSum(logits: Floats, at: number, classes: number, has: (column: number) => boolean): number {
  let top = logits[at]!;
  for (let c = 1; c < classes; c++) if (has(c)) top = Math.max(top, logits[at + c]!);
  let sum = 0;
  for (let c = 0; c < classes; c++) if (has(c)) sum += exp(logits[at + c]! - top);
  return Math.log(sum) + top;
}

function sigmoidNegatives(unlabelled: Uint8Array): NegativeLoss {
  /** p(no unlabelled object): the product of 1 - p. */
  const noneOf = (logits: Floats, at: number, classes: number): number => {
    let none = 1;
    for (let c = 1; c < classes; c++) if (unlabelled[c] === 1) none /= 1 + exp(logits[at + c]!);
    return none;
  };
  return {
    loss(logits, at, classes) {
      const none = noneOf(logits, at, classes);
      const logit = logits[at]!;
      let sum = none === 1 ? softplus(-logit) : -Math.log(1 - none / (1 + exp(logit)));
      let product = 1;
      for (let c = 1; c < classes; c++) {
        if (unlabelled[c] === 1) continue;
        const other = logits[at + c]!;
        // As in the loss of all columns: one logarithm for many.
        if (other > 40) sum += other;
        else product *= 1 + exp(other);
        if (product > 1e280) {
          sum += Math.log(product);
          product = 1;
        }
      }
      return sum + Math.log(product);
    },
    gradient(logits, out, at, classes, _label, over) {
      const none = noneOf(logits, at, classes);
      const background = 1 / (1 + exp(-logits[at]!));
      const rest = 1 - background;
      out[at] = -(none === 1 ? rest : (none * rest * background) / (1 - none * rest)) / over;
      for (let c = 1; c < classes; c++) {
        out[at + c] = unlabelled[c] === 1 ? 0 : 1 / (1 + exp(-logits[at + c]!)) / over;
      }
    },
  };
}

/** log(1 + exp(x)) */
function softplus(x: number): number {
  return x > 40 ? x : Math.log(1 + exp(x));
}
