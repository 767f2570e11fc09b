// How many epochs fit into the time that a person gives: a few steps are tried first, and nothing is learned from them.
import { MultiboxError } from "../errors.ts";
import type { Batches } from "./batches.ts";
import type { TrainEngine } from "./engines/train-engine.ts";

export interface BudgetOptions {
  readonly engine: Pick<TrainEngine, "gradients">;
  readonly batches: Pick<Batches, "epoch" | "steps">;
  /** The first epochs compute features that later ones read from the disk; 0 where all epochs take the same time. */
  readonly variants: number;
  /** For the epochs and their validation, in milliseconds. */
  readonly leftMs: number;
  /** What validation takes after each epoch. */
  readonly validationMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
}

/** However long it may take: of a few dozen images more epochs only learn these by heart. */
export const MOST_EPOCHS = 200;
const TRIED_STEPS = 6;

/** At least 1, also where that takes longer. Fails as reading images and the engine do, or with INTERRUPTED. */
export async function epochsWithin(options: BudgetOptions): Promise<number> {
  const { batches, variants, leftMs, validationMs } = options;
  const fresh = await stepMs(options);
  const kept = variants > 0 ? await stepMs(options) : fresh;
  const epochMs = (ms: number): number => ms * batches.steps + validationMs;
  const fit = (ms: number, within: number): number => Math.floor(within / epochMs(ms));
  const first = fit(fresh, leftMs);
  const epochs = variants === 0 || first <= variants ? first : variants + fit(kept, leftMs - variants * epochMs(fresh));
  return Math.max(1, Math.min(MOST_EPOCHS, epochs));
}

/** The time of a step, its batch included. The first one, in which the engine prepares itself, does not count where there are others. */
async function stepMs({ engine, batches, signal, now = () => performance.now() }: BudgetOptions): Promise<number> {
  let begun = now();
  let steps = 0;
  for await (const batch of batches.epoch(0, Math.max(0, batches.steps - TRIED_STEPS))) {
    if (signal?.aborted) throw new MultiboxError("INTERRUPTED", "Stopped before the first step.");
    await engine.gradients(batch);
    steps += 1;
    if (steps === 1 && batches.steps > 1) begun = now();
  }
  return (now() - begun) / Math.max(1, batches.steps > 1 ? steps - 1 : steps);
}
