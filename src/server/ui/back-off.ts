// How long to wait before the next attempt to connect.

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/** Doubles with each failed attempt (from 1) up to 15 s; `random` (0..1) takes up to half of it off, so that pages spread out. */
export function backOffMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(whole * (1 - random / 2));
}
