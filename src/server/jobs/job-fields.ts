// The fields of a form, which are texts, as the values that the options of a job are.
import { check } from "../api/body.ts";
import { JobOptions, UploadOptions } from "./job-schemas.ts";
import type { Fields } from "./upload.ts";

const NUMBERS = new Set(["every", "fps", "start", "end", "minScore", "crf"]);
const LISTS = new Set(["out", "labels"]);

/** Lists may be given with commas, or a field for each. Fails with BAD_REQUEST. */
export function optionsOf(fields: Fields): JobOptions {
  const values = Object.fromEntries([...fields].map(([name, texts]) => [name, valueOf(name, texts)]));
  return check(
    UploadOptions,
    values,
    "BAD_REQUEST",
    `The fields are: file, ${Object.keys(JobOptions.shape).join(", ")}.`,
  );
}

function valueOf(name: string, texts: readonly string[]): unknown {
  if (LISTS.has(name)) return texts.flatMap((text) => text.split(",")).map((text) => text.trim());
  // The schema says what is wrong with several values where one belongs.
  const text = texts.length === 1 ? texts[0]! : texts;
  if (typeof text !== "string") return text;
  if (NUMBERS.has(name) && text.trim() !== "") return Number.isNaN(Number(text)) ? text : Number(text);
  if (name === "keyframes") return { true: true, on: true, "1": true, false: false, "0": false }[text] ?? text;
  return text;
}
