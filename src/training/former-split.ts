// How version 0.1.0 split its data: runs that it began resume on the same images.
import { MultiboxError } from "../errors.ts";
import { drawn, type Grouped, groupsOf, shuffledGroups } from "./look-alike-groups.ts";

/** Groups of look-alikes, and of days for `day`, up to the share; the smallest group where all exceed it. Fails with VALIDATION_EMPTY. */
export function splitAsFormerly(
  images: readonly Grouped[],
  { share, by, seed }: { readonly share: number; readonly by: "hash" | "day"; readonly seed: number },
): { readonly training: readonly number[]; readonly validation: readonly number[] } {
  const order = shuffledGroups(groupsOf(images, by === "day" ? "both" : "look-alikes"), seed);
  const wanted = Math.max(1, Math.min(images.length - 1, Math.round(share * images.length)));
  const chosen = drawn(order, wanted).flat();
  if (chosen.length === 0 && order.length > 1)
    chosen.push(...order.reduce((least, group) => (group.length < least.length ? group : least)));
  if (chosen.length === 0 || chosen.length === images.length)
    throw new MultiboxError("VALIDATION_EMPTY", "The images of the interrupted run cannot be split.", "Restart it.");
  const validation = new Set(chosen);
  return {
    training: images.flatMap((_, i) => (validation.has(i) ? [] : [i])),
    validation: images.flatMap((_, i) => (validation.has(i) ? [i] : [])),
  };
}
