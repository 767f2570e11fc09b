// An upload of parts (multipart/form-data, as browsers and `curl -F` send it) -> a file on disk, and the fields beside it.
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { Busboy, type BusboyFileStream } from "@fastify/busboy";
import { MultiboxError, systemCode } from "../../errors.ts";
import { writeFailure } from "../../whole-file.ts";

/** Each field with all its values, in the order in which they came. */
export type Fields = ReadonlyMap<string, readonly string[]>;

export interface UploadOptions {
  /** Where the file goes, under its own name made harmless. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Called before the file is read, with the fields that came before it: what fails here spares everyone the rest. */
  readonly onFile: (fields: Fields) => void;
}

export interface Upload {
  readonly name: string;
  readonly fields: Fields;
}

/** The part that is the video. */
const FILE = "file";
const LIMITS = { fields: 64, fieldSize: 65_536, fieldNameSize: 64, files: 2, headerPairs: 32, headerSize: 8192 };
/** Of what is not the file. */
const MOST_OVERHEAD = 4 * 1_048_576;

/**
 * The file is never held in memory, and its sender waits while the disk does. Fails with BAD_REQUEST, BODY_TOO_LARGE,
 * BODY_INCOMPLETE, DISK_FULL, or as `onFile` does.
 */
export async function receiveUpload(request: Request, options: UploadOptions): Promise<Upload> {
  const { folder, maxBytes, onFile } = options;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes + MOST_OVERHEAD) throw tooLarge(maxBytes);
  if (!request.body) throw bad("The body is empty.");
  const fields = new Map<string, string[]>();
  let file: { readonly name: string; readonly stream: BusboyFileStream; readonly done: Promise<void> } | undefined;
  let failure: unknown;
  const parts = open(request, maxBytes);
  const fail = (error: unknown): void => {
    failure ??= error;
    parts.destroy(error as Error);
  };
  parts.on("field", (name, value, isNameCut, isCut) => {
    if (isNameCut || isCut) fail(bad(`The field "${name.slice(0, 64)}" is too long.`));
    else fields.set(name, [...(fields.get(name) ?? []), value]);
  });
  parts.on("fieldsLimit", () => fail(bad("There are too many fields.")));
  parts.on("file", (name, stream, sentName) => {
    // Without a listener its end would be an error that nobody hears.
    stream.on("error", () => undefined);
    try {
      if (name !== FILE) throw bad(`"${name.slice(0, 64)}" is no part that is a file.`);
      if (file) throw bad("There are two files.");
      onFile(fields);
      const harmless = harmlessName(sentName);
      file = { name: harmless, stream, done: keep(stream, join(folder, harmless), maxBytes) };
      file.done.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  try {
    await pipeline(Readable.fromWeb(request.body as ReadableStream), parts);
    await file?.done;
  } catch (cause) {
    // It does not end with what it came from, and what is being written must not outlive its folder.
    file?.stream.destroy();
    await file?.done.catch(() => undefined);
    throw failure ?? brokenOff(cause);
  }
  if (failure !== undefined) throw failure;
  if (!file) throw bad(`There is no part "${FILE}".`);
  return { name: file.name, fields };
}

/** Fails with BAD_REQUEST. busboy takes an empty boundary, and then finds parts anywhere (RFC 2046, section 5.1.1). */
export function requireBoundary(contentType = ""): void {
  if (/;\s*boundary=(?:"[^"]+"|[^\s";][^;]*)/i.test(contentType)) return;
  throw bad("The header Content-Type names no boundary of the parts.");
}

function open(request: Request, maxBytes: number): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { "content-type": request.headers.get("content-type") ?? "" },
      limits: { ...LIMITS, fileSize: maxBytes },
    });
  } catch (cause) {
    throw new MultiboxError("BAD_REQUEST", "The body is not in parts as its type says.", HINT, { cause });
  }
}

async function keep(stream: BusboyFileStream, path: string, maxBytes: number): Promise<void> {
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => done(stream.truncated ? tooLarge(maxBytes) : null),
  });
  stream.on("limit", () => bounded.destroy(tooLarge(maxBytes)));
  try {
    await pipeline(stream, bounded, createWriteStream(path, { mode: 0o600 }));
  } catch (cause) {
    await rm(path, { force: true });
    // Of the system: the disk. Else the part has ended in its midst.
    throw /^E[A-Z0-9]+$/.test(systemCode(cause) ?? "") ? writeFailure(cause, "the upload") : brokenOff(cause);
  }
}

/** Letters and digits of any script, blanks, and a few marks; what ffmpeg, shells and other systems have a meaning for goes. */
export function harmlessName(name: string | undefined): string {
  const last = (name ?? "").split(/[/\\]/).at(-1)!.normalize("NFC");
  const tame = last.replaceAll(/[^\p{L}\p{M}\p{N} ._()+-]/gu, "_").replace(/^[ .+-]+|[ .]+$/g, "");
  const ending = extname(tame).slice(0, 16);
  const stem = tame.slice(0, tame.length - extname(tame).length);
  // Of a path's part 255 bytes are taken, and forms put their own endings behind it.
  return (Array.from(stem).slice(0, 48).join("") || "video") + ending;
}

function brokenOff(cause: unknown): unknown {
  if (cause instanceof MultiboxError) return cause;
  // busboy's errors are plain ones; what a connection fails with has a code, or is an abort.
  const isMalformed = cause instanceof Error && systemCode(cause) === undefined && cause.name !== "AbortError";
  if (isMalformed)
    return new MultiboxError("BAD_REQUEST", "The body is not in parts as its type says.", HINT, { cause });
  return new MultiboxError("BODY_INCOMPLETE", "The connection ended before the body did.", "", { cause });
}

const HINT = `Send the video as the part "${FILE}": curl -F out=coco -F ${FILE}=@in.mp4`;
const bad = (sentence: string): MultiboxError => new MultiboxError("BAD_REQUEST", sentence, HINT);

function tooLarge(maxBytes: number): MultiboxError {
  const hint = "Raise jobMaxMb, or name a file that the server has, under one of fileRoots.";
  return new MultiboxError("BODY_TOO_LARGE", `The video has more than ${Math.floor(maxBytes / 1e6)} MB.`, hint);
}
