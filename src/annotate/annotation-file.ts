// Annotations as JSON lines: the one form that is written while frames are detected, and that every other form is made from.
import { createReadStream } from "node:fs";
import type { z } from "zod";
import { MultiboxError, systemCode } from "../errors.ts";
import { requireFormat } from "../file-format.ts";
import { AnnotationHeader, AnnotationLine } from "./annotation.ts";

/** A file of annotations that may be read from its first line on as often as needed, without holding it in memory. */
export interface Annotations {
  readonly path: string;
  readonly header: AnnotationHeader;
  /** Fails with ANNOTATIONS_INVALID, which names the line. */
  readonly lines: () => AsyncIterable<AnnotationLine>;
}

/** In the order of the schema, so that equal headers are equal texts. */
export const headerText = (header: AnnotationHeader): string => `${JSON.stringify(AnnotationHeader.parse(header))}\n`;
export const lineText = (line: AnnotationLine): string => `${JSON.stringify(line)}\n`;

/** Opens a whole file. Fails with FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_NEWER or ANNOTATIONS_INVALID. */
export async function readAnnotations(path: string): Promise<Annotations> {
  for await (const { text } of textLines(path)) {
    const header = parse(AnnotationHeader, text, path, 1);
    return { path, header, lines: () => readLines(path) };
  }
  throw invalid(path, 1, "it is empty");
}

async function* readLines(path: string): AsyncGenerator<AnnotationLine, void> {
  for await (const { text, number } of textLines(path)) {
    if (number > 1) yield parse(AnnotationLine, text, path, number);
  }
}

async function* textLines(path: string): AsyncGenerator<{ text: string; number: number }, void> {
  let rest = "";
  let number = 0;
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
      const texts = `${rest}${chunk}`.split("\n");
      rest = texts.pop()!;
      for (const text of texts) {
        number += 1;
        yield { text, number };
      }
    }
  } catch (cause) {
    throw systemCode(cause) === undefined ? cause : unreadable(path, cause);
  }
  // A whole file ends with the end of a line; what does not was written by something else.
  if (rest !== "") yield { text: rest, number: number + 1 };
}

function parse<T>(schema: z.ZodType<T>, text: string, path: string, number: number): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(path, number, "it is no JSON");
  }
  if (number === 1) requireFormat(json, path);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(path, number, `${issue!.path.join(".") || "the line"}: ${issue!.message}`);
}

function invalid(path: string, number: number, why: string): MultiboxError {
  const hint = "Give a file that `multibox annotate` wrote.";
  return new MultiboxError("ANNOTATIONS_INVALID", `${path} holds no annotations, line ${number}: ${why}.`, hint);
}

function unreadable(path: string, cause: unknown): MultiboxError {
  if (systemCode(cause) === "ENOENT")
    return new MultiboxError("FILE_NOT_FOUND", `There is no file ${path}.`, "", { cause });
  return new MultiboxError("FILE_NOT_READABLE", `${path} cannot be read: ${systemCode(cause)}.`, "", { cause });
}
