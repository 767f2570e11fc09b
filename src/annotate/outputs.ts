// What `--out` asks for: forms by name, by the ending of a path, or both, and where each input's outputs go.
import { basename, dirname, extname, join, resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import type { AnnotationFormat } from "./format.ts";
import { ANNOTATION_FORMATS } from "./formats.ts";

/** One `--out`: a form, JSON lines when it has none, and where to, if that was said. */
export interface OutputRequest {
  readonly format: AnnotationFormat | undefined;
  readonly path?: string;
}

/** One file or folder that is to be written for one input. */
export interface Output {
  readonly format: AnnotationFormat | undefined;
  readonly path: string;
}

export const JSONL_SUFFIX = ".jsonl";
const JSONL = { name: "jsonl", suffix: JSONL_SUFFIX };

/** `coco`, `coco=found.json`, `found.csv`. Fails with OUT_UNKNOWN, which lists what there is. */
export function parseOutput(text: string, formats: readonly AnnotationFormat[] = ANNOTATION_FORMATS): OutputRequest {
  const request = findOutput(text, formats);
  if (request) return request;
  const known = [JSONL.name, ...formats.map((one) => one.name)].join(", ");
  const comma = text.includes(",") ? " A comma separates outputs; write two for one in a file's name." : "";
  const hint = `Name one of ${known}; or a file whose ending says which; or both, as coco=found.json.${comma}`;
  throw new MultiboxError("OUT_UNKNOWN", `--out ${text} is no form that annotations can be written in.`, hint);
}

function findOutput(text: string, formats: readonly AnnotationFormat[]): OutputRequest | undefined {
  const [, name, path] = /^([a-z0-9-]+)(?:=(.+))?$/s.exec(text) ?? [];
  if (name === JSONL.name) return { format: undefined, ...(path !== undefined && { path }) };
  const format = formats.find((one) => one.name === name);
  if (format) return { format, ...(path !== undefined && { path }) };
  const lower = text.toLowerCase();
  if (lower.endsWith(JSONL.suffix)) return { format: undefined, path: text };
  // The longest ending counts, so that one form may have `.json` and another one `.coco.json`.
  const byEnding = formats
    .flatMap((one) => one.endings.map((ending) => ({ one, ending })))
    .filter(({ ending }) => lower.endsWith(ending))
    .sort((a, b) => b.ending.length - a.ending.length)[0];
  return byEnding && { format: byEnding.one, path: text };
}

/**
 * All of them; several may be joined by commas: `coco,csv`, `jsonl=a,srt=b`. Fails in the same way, with OUT_UNKNOWN for a form that
 * such a source cannot have, and with OUT_CONFLICT where JSON lines are asked for twice.
 */
export function parseOutputs(texts: readonly string[], source: "video" | "pictures"): OutputRequest[] {
  const requests = texts.flatMap(splitOutputs);
  const lines = requests.filter(({ format }) => format === undefined);
  if (lines.length > 1) {
    const asked = lines.map(({ path }) => path ?? JSONL.name).join(" and ");
    const hint = "Copy the file afterwards. For a comma in a file's name, write two.";
    throw new MultiboxError("OUT_CONFLICT", `JSON lines are written once, and --out asks for ${asked}.`, hint);
  }
  const wrong = requests.find(({ format }) => format?.only !== undefined && format.only !== source)?.format;
  if (!wrong) return requests;
  const [is, does] = wrong.only === "video" ? ["videos", "annotate"] : ["pictures", "detect"];
  throw new MultiboxError("OUT_UNKNOWN", `${wrong.title} is for ${is}.`, `\`multibox ${does}\` writes it.`);
}

/**
 * A comma separates outputs, two stand for one in a file's name. A text whose pieces are not all outputs is one file with commas in its
 * name, unless a piece looks like the name of a form, which is a slip.
 */
function splitOutputs(text: string): OutputRequest[] {
  const whole = text.replaceAll(",,", ",");
  const pieces = text.split(/(?<!,),(?!,)/).map((piece) => piece.replaceAll(",,", ","));
  const requests = pieces.map((piece) => findOutput(piece, ANNOTATION_FORMATS));
  if (requests.every((request) => request !== undefined)) return requests;
  const slip = pieces
    .slice(1)
    .find((piece, i) => requests[i + 1] === undefined && /^(?:[a-z0-9-]+(?:=.*)?)?$/is.test(piece));
  if (slip === undefined) return [parseOutput(whole)];
  return pieces.map((piece) => parseOutput(piece === slip ? `${piece} (in ${text})` : piece));
}

/** Where the outputs of an input go: where it was said, or under the input's name into `folder`. */
export function outputsOf(input: string, requests: readonly OutputRequest[], folder?: string): Output[] {
  const stem = input === "-" ? "stdin" : basename(input, extname(input));
  const into = folder ?? (input === "-" ? "." : dirname(input));
  return requests.map(({ format, path }) => ({
    format,
    path: path ?? join(into, `${stem}${format?.suffix ?? JSONL.suffix}`),
  }));
}

/**
 * Where the JSON lines of these outputs go: to one of them, or, where none was asked for, to a file that is removed when all others
 * are made.
 */
export function linesTarget(outputs: readonly Output[]): { readonly path: string; readonly isWanted: boolean } {
  const wanted = outputs.find(({ format }) => format === undefined);
  if (wanted) return { path: wanted.path, isWanted: true };
  const { dir, base } = { dir: dirname(outputs[0]!.path), base: basename(outputs[0]!.path) };
  return { path: join(dir, `.${base}.multibox.jsonl`), isWanted: false };
}

/** Fails where two outputs would be one file. */
export function requireDistinct(all: readonly { readonly input: string; readonly outputs: readonly Output[] }[]): void {
  const owners = new Map<string, string>();
  for (const { input, outputs } of all) {
    for (const { path } of outputs) {
      const earlier = owners.get(resolve(path));
      if (earlier !== undefined) {
        const who =
          earlier === input ? `${input} would be written twice to` : `${earlier} and ${input} would both be written to`;
        throw new MultiboxError("OUT_CONFLICT", `${who} ${path}.`, "Name them otherwise, or annotate them one by one.");
      }
      owners.set(resolve(path), input);
    }
  }
}
