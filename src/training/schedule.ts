// The learning rate of each step: a warm-up, then as the schedule says.
import type { TrainSettings } from "./train-settings.ts";

/** Where the paper divides the rate by ten (section 3.1: at 40k and 50k of 60k steps; shares of the steps here). */
const DROPS = [2 / 3, 5 / 6] as const;

/** The rate of step `step`, which counts from 0, of `steps`. Warm-up never takes more than a fifth of them. */
export function rateAt(
  step: number,
  steps: number,
  { lr, schedule, warmUp }: Pick<TrainSettings, "lr" | "schedule" | "warmUp">,
): number {
  const warm = Math.min(warmUp, Math.floor(steps / 5));
  if (step < warm) return (lr * (step + 1)) / (warm + 1);
  if (schedule === "constant") return lr;
  if (schedule === "step") return lr * 0.1 ** DROPS.filter((share) => step >= share * steps).length;
  return (lr * (1 + Math.cos((Math.PI * (step - warm)) / Math.max(1, steps - warm)))) / 2;
}
