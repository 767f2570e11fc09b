// How alike two images are by their perceptual hashes, and the thresholds that captures and splits go by.

/** Capture rules keep no frame that differs from a kept frame of its stream in at most this many of 64 bits, unless `skipSimilar` says otherwise. */
export const CAPTURE_SKIP_BITS = 4;

/** Images of one scene differ in at most this many bits; two that have nothing in common differ in about 32. */
export const LOOK_ALIKE_BITS = 6;

/**
 * Two images that differ in at most this many bits are nearly the same image. Frames of a fixed camera are look-alikes however far they are
 * apart in time, so a data set of its own for validation is compared by this threshold only.
 */
export const NEAR_IDENTICAL_BITS = 2;

/** A 64-bit hash in two halves: every image is compared with every other, and large integers are slow. */
export type HashWords = readonly [high: number, low: number];

/** `hash`: 16 hexadecimal digits. */
export function hashWords(hash: string): HashWords {
  return [Number.parseInt(hash.slice(0, 8), 16) | 0, Number.parseInt(hash.slice(8), 16) | 0];
}

/** How many of 64 bits differ. */
export function bitsBetween(a: HashWords, b: HashWords): number {
  return ones(a[0] ^ b[0]) + ones(a[1] ^ b[1]);
}

interface Hashed {
  readonly hash: string;
}

/** Places of the images that differ from all `others` in more than this many bits. */
export function unlike(images: readonly Hashed[], others: readonly Hashed[], bits: number): number[] {
  const known = others.map(({ hash }) => hashWords(hash));
  return images.flatMap(({ hash }, i) => {
    const own = hashWords(hash);
    return known.some((other) => bitsBetween(own, other) <= bits) ? [] : [i];
  });
}

function ones(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
