// Which pictures a training learns from and which it is judged by: look-alikes are never on both sides.
import { MultiboxError } from "../errors.ts";
import { seedOf, shuffled } from "./seeds.ts";

/** What a split goes by. */
export interface Kind {
  /** 64 bits, in hexadecimal digits. */
  readonly hash: string;
  /** `2026-11-25`, where it is known. */
  readonly day?: string | undefined;
}

export interface Split {
  /** Places in the list that was given, in ascending order. */
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/** Bits of 64 in which pictures of one scene differ at most; two that have nothing in common differ in about 32. */
export const LOOK_ALIKE_BITS = 6;

const SPLIT = 1;

/**
 * Groups of look-alikes, and of pictures of one day where `by` says so, are drawn into the validation set until it has its share; the first
 * that would make it larger are passed over. Fails with VALIDATION_EMPTY where nothing is left for one of the sides.
 */
export function splitPictures(kinds: readonly Kind[], share: number, by: "hash" | "day", seed: number): Split {
  const groups = groupsOf(kinds, by);
  const wanted = Math.max(1, Math.min(kinds.length - 1, Math.round(share * kinds.length)));
  const order = shuffled(groups.length, seedOf(seed, SPLIT)).map((at) => groups[at]!);
  const chosen: number[] = [];
  for (const group of order) if (chosen.length + group.length <= wanted) chosen.push(...group);
  // One large group is better than no figure at all.
  if (chosen.length === 0 && groups.length > 1)
    chosen.push(...order.reduce((least, group) => (group.length < least.length ? group : least)));
  if (chosen.length === 0 || chosen.length === kinds.length || share === 0 || share === 1)
    throw nothingLeft(kinds.length, share, by);
  const validation = new Set(chosen);
  const places = kinds.map((_, i) => i);
  return {
    training: places.filter((i) => !validation.has(i)),
    validation: places.filter((i) => validation.has(i)),
  };
}

/** Those of `kinds` that look like none of `others`. */
export function unlike(kinds: readonly Kind[], others: readonly Kind[]): number[] {
  const known = others.map(({ hash }) => words(hash));
  return kinds.flatMap(({ hash }, i) => {
    const own = words(hash);
    return known.some((other) => distance(own, other) <= LOOK_ALIKE_BITS) ? [] : [i];
  });
}

/** Each picture is in one group; two of them that belong together are in the same (union and find). */
function groupsOf(kinds: readonly Kind[], by: "hash" | "day"): number[][] {
  const parent = kinds.map((_, i) => i);
  const rootOf = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!;
    return root;
  };
  const hashes = kinds.map(({ hash }) => words(hash));
  const firstOfDay = new Map<string, number>();
  for (const [i, { day }] of kinds.entries()) {
    for (let j = 0; j < i; j++) {
      if (distance(hashes[i]!, hashes[j]!) <= LOOK_ALIKE_BITS) parent[rootOf(i)] = rootOf(j);
    }
    if (by !== "day" || day === undefined) continue;
    const first = firstOfDay.get(day) ?? i;
    firstOfDay.set(day, first);
    parent[rootOf(i)] = rootOf(first);
  }
  const groups = new Map<number, number[]>();
  for (let i = 0; i < kinds.length; i++) {
    const root = rootOf(i);
    const group = groups.get(root);
    if (group) group.push(i);
    else groups.set(root, [i]);
  }
  return [...groups.values()];
}

type Words = readonly [high: number, low: number];

/** Two halves, because every picture is held against every other one, and large integers are slow. */
function words(hash: string): Words {
  return [Number.parseInt(hash.slice(0, 8), 16) | 0, Number.parseInt(hash.slice(8), 16) | 0];
}

function distance(a: Words, b: Words): number {
  return ones(a[0] ^ b[0]) + ones(a[1] ^ b[1]);
}

function ones(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function nothingLeft(count: number, share: number, by: "hash" | "day"): MultiboxError {
  const why = by === "day" ? "look alike or are of one day" : "look alike";
  const sentence =
    share === 0 || share === 1
      ? `A validation share of ${share} leaves ${share === 0 ? "nothing to judge by" : "nothing to learn from"}.`
      : `The ${count} pictures cannot be split: they ${why}.`;
  return new MultiboxError(
    "VALIDATION_EMPTY",
    sentence,
    "Give more pictures, another share, or a data set of its own to judge by.",
  );
}
