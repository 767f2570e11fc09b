// Counts in sentences: `1 image`, `12 images`.

/** `plural` where it is not the noun with an `s`: `countOf(2, "box", "boxes")`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
