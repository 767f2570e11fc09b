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

const JSONL = { name: "jsonl", suffix: ".jsonl" };

/** `coco`, `coco=found.json`, `found.csv`. Fails with OUT_UNKNOWN, which lists what there is. */
export function parseOutput(text: string, formats: readonly AnnotationFormat[] = ANNOTATION_FORMATS): OutputRequest {
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
  if (byEnding) return { format: byEnding.one, path: text };
  const known = [JSONL.name, ...formats.map((one) => one.name)].join(", ");
  const hint = `Name one of ${known}; or a file whose ending says which; or both, as coco=found.json.`;
  throw new MultiboxError("OUT_UNKNOWN", `--out ${text} is no form that annotations can be written in.`, hint);
}

/** All of them; names may be joined by commas. Fails likewise, and with OUT_UNKNOWN for a form that such a source cannot have. */
export function parseOutputs(texts: readonly string[], source: "video" | "pictures"): OutputRequest[] {
  const requests = texts
    .flatMap((text) => (/^[a-z0-9-]+(?:,[a-z0-9-]+)+$/.test(text) ? text.split(",") : [text]))
    .map((text) => parseOutput(text));
  const wrong = requests.find(({ format }) => format?.only !== undefined && format.only !== source)?.format;
  if (!wrong) return requests;
  const [is, does] = wrong.only === "video" ? ["videos", "annotate"] : ["pictures", "detect"];
  throw new MultiboxError("OUT_UNKNOWN", `${wrong.title} is for ${is}.`, `\`multibox ${does}\` writes it.`);
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
