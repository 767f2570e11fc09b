// Which epoch the model is of: the last, whose rate had fallen to nothing, unless the best one is clearly better.
import type { Bundle } from "../model/bundle.ts";
import { changeOfAp } from "./bootstrap.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Trainee } from "./trainee.ts";
import type { Dataset } from "./truth.ts";

export interface Taken {
  /** 0 where no epoch was better than the start. */
  readonly epoch: number;
  readonly bundle: Bundle;
  readonly evaluation: Evaluation;
}

export interface TakenOptions {
  readonly trainee: Pick<Trainee, "best" | "now" | "state">;
  readonly validation: Dataset;
  readonly judged: (bundle: Bundle) => Promise<Evaluation>;
  readonly seed: number;
  /** Whether the learning rate fell to its end. With a rate that never falls, or a run that ended early, the last epoch is as good as any. */
  readonly isComplete: boolean;
}

/** What a normal distribution has below one standard error under its mean. */
const ONE_STANDARD_ERROR = 0.159;

/**
 * The best epoch, or the last of a complete run where its AP is within one standard error of the best epoch's, by a paired bootstrap over the
 * validation images: of a few dozen images, the best epoch is the best by chance, often an early one that has learned little. The rule is that of Breiman and others,
 * "Classification and Regression Trees" (1984), section 3.4.3, which takes the simplest model within one standard error.
 */
export async function takenEpoch({ trainee, validation, judged, seed, isComplete }: TakenOptions): Promise<Taken> {
  const { history } = trainee.state;
  const epoch = history.findLast(({ best }) => best)!.epoch;
  const last = history.at(-1)!.epoch;
  const best = { epoch, bundle: trainee.best() };
  const evaluation = await judged(best.bundle);
  if (!isComplete || epoch === 0 || epoch === last) return { ...best, evaluation };
  const bundle = trainee.now();
  const ofLast = await judged(bundle);
  const { notWorse } = changeOfAp(validation.pictures, evaluation.found, ofLast.found, validation.categories, { seed });
  return notWorse < ONE_STANDARD_ERROR ? { ...best, evaluation } : { epoch: last, bundle, evaluation: ofLast };
}
