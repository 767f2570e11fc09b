// Arguments that are numbers, times or labels: what they may be, said where they are not.
import { InvalidArgumentError } from "commander";
import { MultiboxError } from "../errors.ts";

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return value;
}

/** Both ends included. */
export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most))
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
    return value;
  };
}

/** Some 31 years: longer than any video, and no number with an exponent. */
const MOST_SECONDS = 1e9;

/** `90`, `1:30` or `0:01:30.5`, as seconds. */
export function seconds(text: string): number {
  const parts = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (!parts) throw new InvalidArgumentError("It must be seconds, or a time as 1:30 or 1:02:03.5.");
  const [, hours = "0", minutes = "0", rest] = parts;
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  if (value > MOST_SECONDS) throw new InvalidArgumentError(`It must be at most ${MOST_SECONDS} seconds.`);
  return value;
}

/** For options that may be given several times. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** Fails with LABEL_UNKNOWN where the model does not know one of them. */
export function requireLabels(labels: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = labels?.find((label) => !known.includes(label));
  if (unknown === undefined) return;
  const hint = `It knows: ${known.join(", ")}.`;
  throw new MultiboxError("LABEL_UNKNOWN", `The model does not know the label "${unknown}".`, hint);
}
