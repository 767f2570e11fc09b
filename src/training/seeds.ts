// Seeds that follow from others, and orders that a seed draws: nothing of a training depends on what was drawn before.
import { random } from "../model/random.ts";

/** One seed of several whole numbers, which differs wherever one of them does (FNV-1a over their 32-bit words). */
export function seedOf(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((part >>> shift) & 0xff), 0x01000193);
  }
  return hash >>> 0;
}

/** 0 .. count - 1 in an order that the seed draws (Fisher and Yates). */
export function shuffled(count: number, seed: number): number[] {
  const next = random(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(next() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
