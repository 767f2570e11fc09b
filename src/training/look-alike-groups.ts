// Groups of images that belong on one side of a split, and the drawing of groups into the validation set.
import { bitsBetween, hashWords, LOOK_ALIKE_BITS } from "./look-alikes.ts";
import { seedOf, shuffled } from "./seeds.ts";

export interface Grouped {
  /** Perceptual hash: 64 bits, in hexadecimal digits. */
  readonly hash: string;
  /** `2026-11-25`, where it is known. */
  readonly day?: string | undefined;
}

/**
 * `look-alikes`: single linkage of images that differ in at most 6 bits. `days`: images of one day; those without a day by their look.
 * `both`: a group has the images of one day and all that look like one of them.
 */
export type Grouping = "look-alikes" | "days" | "both";

/** Places of the images, each in one group (union and find). */
export function groupsOf(images: readonly Grouped[], by: Grouping): number[][] {
  const parent = images.map((_, i) => i);
  const rootOf = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!;
    return root;
  };
  const hashes = images.map(({ hash }) => hashWords(hash));
  const isCompared = images.map(({ day }) => by !== "days" || day === undefined);
  const firstOfDay = new Map<string, number>();
  for (const [i, { day }] of images.entries()) {
    for (let j = 0; j < i; j++) {
      if (!isCompared[i] || !isCompared[j]) continue;
      if (bitsBetween(hashes[i]!, hashes[j]!) <= LOOK_ALIKE_BITS) parent[rootOf(i)] = rootOf(j);
    }
    if (by === "look-alikes" || day === undefined) continue;
    const first = firstOfDay.get(day) ?? i;
    firstOfDay.set(day, first);
    parent[rootOf(i)] = rootOf(first);
  }
  const groups = new Map<number, number[]>();
  for (let i = 0; i < images.length; i++) {
    const root = rootOf(i);
    const group = groups.get(root);
    if (group) group.push(i);
    else groups.set(root, [i]);
  }
  return [...groups.values()];
}

const SPLIT = 1;

/** In the order that the seed draws. */
export function shuffledGroups(groups: readonly number[][], seed: number): number[][] {
  return shuffled(groups.length, seedOf(seed, SPLIT)).map((at) => groups[at]!);
}

/** The groups that are taken until `wanted` images are reached; groups that would exceed it are passed over. */
export function drawn(order: readonly number[][], wanted: number): number[][] {
  let count = 0;
  return order.filter((group) => {
    if (count + group.length > wanted) return false;
    count += group.length;
    return true;
  });
}
