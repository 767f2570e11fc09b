// What an interrupted run has left: how many whole lines of it are of use, and whether they were made from the same video in the same way.
import { createReadStream } from "node:fs";
import { MultiboxError, systemCode } from "../errors.ts";
import { requireFormat } from "../file-format.ts";
import { headerText } from "./annotation-file.ts";
import { AnnotationHeader } from "./annotation.ts";

export interface Leftover {
  readonly header: AnnotationHeader;
  /** Whole lines behind the header. */
  readonly lines: number;
  /** Bytes of the header and of the first so many lines, at most `lines`. */
  bytesOf(lines: number): number;
}

/**
 * Reads what lies under a temporary name; undefined where nothing does, or not even a whole header. A torn last line does not count.
 * Fails with FILE_NOT_READABLE or FILE_NEWER.
 */
export async function readLeftover(path: string): Promise<Leftover | undefined> {
  const ends: number[] = [];
  let head = "";
  let at = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      if (ends.length === 0) head += chunk.toString("utf8");
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, end + 1)) ends.push(at + end + 1);
      at += chunk.length;
    }
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new MultiboxError("FILE_NOT_READABLE", `${path} cannot be read: ${systemCode(cause)}.`, "", { cause });
  }
  const header = parseHeader(head.split("\n", 1)[0]!, path);
  if (!header || ends.length === 0) return undefined;
  return { header, lines: ends.length - 1, bytesOf: (lines) => ends[Math.min(lines, ends.length - 1)]! };
}

function parseHeader(text: string, path: string): AnnotationHeader | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  requireFormat(json, path);
  return AnnotationHeader.safeParse(json).data;
}

/** Fails with RESUME_MISMATCH, which names what differs, unless both headers are the same to the byte. */
export function requireSame(left: AnnotationHeader, now: AnnotationHeader, path: string): void {
  if (headerText(left) === headerText(now)) return;
  const [name, before, after] = firstDifference(left, now, "") ?? ["the header", "", ""];
  throw new MultiboxError(
    "RESUME_MISMATCH",
    `${path} was begun with another ${name}: ${before} and not ${after}.`,
    "Call it as before, or restart with --force.",
  );
}

/** The path of what differs, and both values. */
function firstDifference(a: unknown, b: unknown, name: string): [string, string, string] | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return undefined;
  const bothObjects = [a, b].every((value) => typeof value === "object" && value !== null);
  if (!bothObjects) return [name, shown(a), shown(b)];
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = firstDifference(one[key], other[key], name === "" ? key : `${name}.${key}`);
    if (found) return found;
  }
  return [name, shown(a), shown(b)];
}

const shown = (value: unknown): string => (value === undefined ? "none" : JSON.stringify(value));
