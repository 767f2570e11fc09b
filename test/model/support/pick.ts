// Choices among values.

/** One of the values, by a number of 0 <= x < 1. */
export function pick<T>(next: () => number, values: readonly T[]): T {
  return values[Math.floor(next() * values.length)]!;
}
