// Chooses which default boxes without an object are trained on (SSD paper, section 2.2, "Hard negative mining").

/**
 * The places of the `wanted` background boxes (label 0) with the greatest losses, in ascending order; all where there are fewer. Of
 * equal losses the first are taken. A loss that is not a number counts as the greatest, so that it comes to light.
 */
export function mineNegatives(losses: Float64Array, labels: Int32Array, wanted: number): number[] {
  const negatives: number[] = [];
  for (let i = 0; i < labels.length; i++) if (labels[i] === 0) negatives.push(i);
  if (negatives.length <= wanted) return negatives;
  if (wanted === 0) return [];
  const hardness = new Float64Array(negatives.length);
  for (let n = 0; n < hardness.length; n++) {
    const loss = losses[negatives[n]!]!;
    hardness[n] = Number.isNaN(loss) ? Infinity : loss;
  }
  const least = greatest(hardness.slice(), wanted);
  let even = wanted;
  for (const one of hardness) if (one > least) even--;
  return negatives.filter((_, n) => hardness[n]! > least || (hardness[n] === least && even-- > 0));
}

/** The value that `count - 1` others are not below, by quickselect: sorting all took a third of a step's loss. Changes their order. */
function greatest(values: Float64Array, count: number): number {
  const place = values.length - count;
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const pivot = values[(first + last) >> 1]!;
    let [up, down] = [first, last];
    while (up <= down) {
      while (values[up]! < pivot) up++;
      while (values[down]! > pivot) down--;
      if (up > down) break;
      const value = values[up]!;
      values[up++] = values[down]!;
      values[down--] = value;
    }
    if (place <= down) last = down;
    else if (place >= up) first = up;
    else break;
  }
  return values[place]!;
}
