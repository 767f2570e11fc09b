// Weights between those that a training began with and those that it came to: what is learnt from few pictures, less what is learnt by heart.
import type { Tensors } from "../model/weights/safetensors.ts";
import type { Figures } from "./evaluate.ts";
import type { StartingPoint } from "./starting-point.ts";

/** An AP below which a start is worth nothing. */
const LEAST_AP = 0.1;

/**
 * How far a training goes where nobody says so, by the figures of its start. Classes that it knows already are better half way than at the
 * end: on a frozen base (bench/README.md), and with the whole network, which forgets much less of its other labels on the way
 * (docs/explanation/fixed-camera.md; Wortsman and others, "Robust fine-tuning of zero-shot models", 2022). What has labels that are new to it, or knows
 * nothing yet, must go all the way, and boxes may. Version 0.1.0 went all the way with a whole network (`isFormer`).
 */
export function usualBlend(
  { plan, added }: Pick<StartingPoint, "plan" | "added">,
  figures: Figures | undefined,
  isFormer = false,
): number {
  const learns = (layer: RegExp): boolean => plan.trained.some((name) => layer.test(name));
  if (isFormer && learns(/^base\./)) return 1;
  return learns(/\.logits\./) && added.length === 0 && (figures?.["AP"] ?? 0) >= LEAST_AP ? 0.5 : 1;
}

/** Each of `learnt` on the straight line from its start: 0 is the start, 1 what was learnt, which then is returned as it is. */
export function blended(start: Tensors, learnt: Tensors, share: number): Tensors {
  if (share === 1) return learnt;
  return new Map(
    [...learnt].map(([name, { shape, data }]) => {
      const from = start.get(name)!.data;
      return [name, { shape, data: data.map((value, i) => from[i]! + share * (value - from[i]!)) }];
    }),
  );
}
