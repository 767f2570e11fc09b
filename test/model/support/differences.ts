// How far two lists of numbers are apart.

/** The largest absolute difference; infinite where the lengths differ or anything is not a number. */
export function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
  }
  return worst;
}

export const sigmoid = (logits: Float32Array): Float32Array => logits.map((logit) => 1 / (1 + Math.exp(-logit)));
