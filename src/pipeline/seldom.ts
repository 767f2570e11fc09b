// Says the same failure seldom: a network that fails on every batch would fill a log in an hour.
import type { MultiboxError } from "../errors.ts";

/** Passes on the first warning of a code, and the next of the same code only after `everyMs`. `now`: milliseconds on a clock that never jumps. */
export function seldom(
  say: (warning: MultiboxError) => void,
  everyMs = 10_000,
  now: () => number = () => performance.now(),
): (warning: MultiboxError) => void {
  const said = new Map<string, number>();
  return (warning) => {
    const last = said.get(warning.code);
    if (last !== undefined && now() - last < everyMs) return;
    said.set(warning.code, now());
    say(warning);
  };
}
