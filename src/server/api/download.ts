// Sends a file that does not change any more, whole or the part of it that was asked for (RFC 9110, section 14).
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { extname } from "node:path";
import { MultiboxError, systemCode } from "../../errors.ts";
import { problemResponse } from "./problem.ts";

export interface Download {
  readonly path: string;
  /** As whoever saves it sees it. */
  readonly name: string;
  readonly bytes: number;
  /** Tells it from all other files there ever were under its address. */
  readonly tag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".jsonl": "application/x-ndjson",
  ".json": "application/json",
  ".csv": "text/csv",
  ".xml": "application/xml",
  ".txt": "text/plain",
  ".vtt": "text/vtt",
  ".mp4": "video/mp4",
  ".mkv": "video/x-matroska",
  ".tar": "application/x-tar",
};

/** The answer to a GET or HEAD with these headers: 200, 206, or 416 with RANGE_UNSATISFIABLE. Fails with RESULT_UNKNOWN. */
export async function fileResponse(file: Download, request: Request): Promise<Response> {
  await requireThere(file);
  const tag = `"${file.tag}"`;
  const headers = new Headers({
    "content-type": TYPES[extname(file.name).toLowerCase()] ?? "application/octet-stream",
    "content-disposition": disposition(file.name),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    etag: tag,
  });
  const condition = request.headers.get("if-range");
  const wanted = condition === null || condition === tag ? request.headers.get("range") : null;
  const range = rangeOf(wanted, file.bytes);
  if (range === "unsatisfiable") return unsatisfiable(wanted!, file.bytes);
  const [first, last] = range ?? [0, file.bytes - 1];
  headers.set("content-length", String(last - first + 1));
  if (range) headers.set("content-range", `bytes ${first}-${last}/${file.bytes}`);
  const isEmpty = request.method === "HEAD" || file.bytes === 0;
  const body = isEmpty ? null : Readable.toWeb(createReadStream(file.path, { start: first, end: last }));
  return new Response(body as ReadableStream | null, { status: range ? 206 : 200, headers });
}

/** RESULT_UNKNOWN where it was deleted or cut off: the answer would break off in its midst. */
async function requireThere({ path, name, bytes }: Download): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw cause;
    return undefined;
  });
  if (found?.size === bytes) return;
  const sentence = found
    ? `The file ${name} was changed: it has ${found.size} of ${bytes} bytes.`
    : `The file ${name} is gone.`;
  throw new MultiboxError("RESULT_UNKNOWN", sentence, "Create the job again.");
}

/** First and last byte; undefined for all of it, also where several parts are asked for, which a server need not give. */
function rangeOf(header: string | null, bytes: number): [number, number] | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const last = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  const first = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return first <= last ? [first, last] : "unsatisfiable";
}

function unsatisfiable(range: string, bytes: number): Response {
  const sentence = `The file has ${bytes} bytes, and none of them are in "${range.slice(0, 80)}".`;
  return problemResponse(new MultiboxError("RANGE_UNSATISFIABLE", sentence), { "content-range": `bytes */${bytes}` });
}

/** RFC 6266: a plain name for whoever knows no other, and the name itself. */
function disposition(name: string): string {
  const plain = name.replaceAll(/[^\w .()+-]/g, "_");
  const exact = encodeURIComponent(name).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
