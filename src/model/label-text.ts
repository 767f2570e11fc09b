// The text of a label, wherever it comes from: files of others, captures, models. A line end in it would be two labels in a list of names.
import { z } from "zod";

/** `\p{Cc}`: control characters, tabs and line ends among them; `\p{Zl}\p{Zp}`: Unicode's own line ends; `\p{Cs}`: half a character. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Each run of characters that no line of text can hold becomes a space; those at the ends go. U+FFFD where nothing is left. */
export function labelText(text: string): string {
  const plain = text.replaceAll(UNPRINTABLE, " ");
  return plain === text ? text : plain.trim() || "\ufffd";
}

/** A string that is read as `labelText` has it. */
export const LabelText = z.string().overwrite(labelText);
