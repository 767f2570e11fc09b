// Text that later layers can use: programs' arguments, file names and databases end at a NUL, or refuse half a character.
import { z } from "zod";

/** `\p{Cc}`: control characters, line ends among them. `\p{Cs}`: a surrogate without its other half, which UTF-8 cannot hold. */
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;

/** A string of 1 to `max` UTF-16 units without control characters and unpaired surrogates. */
export function plainText(max: number): z.ZodString {
  return z.string().min(1).max(max).regex(PLAIN, "must not contain control characters or unpaired surrogates");
}
