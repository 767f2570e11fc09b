// Writes annotations as they come: under a temporary name whose every beginning is of use, renamed when they are whole.
import { open, rename, rm } from "node:fs/promises";
import { writeFailure } from "../whole-file.ts";
import { headerText, lineText } from "./annotation-file.ts";
import type { AnnotationHeader, AnnotationLine } from "./annotation.ts";

/** One file of annotations that is being written. */
export interface AnnotationWriter {
  /** Resolves when the line is taken; it is on disk within half a second or so, if more lines come. */
  write(line: AnnotationLine): Promise<void>;
  /** Everything is there: the file gets its name. */
  finish(): Promise<void>;
  /** Keeps what there is under the temporary name, whole lines only, to be gone on with. Idempotent. */
  pause(): Promise<void>;
  /** Removes what there is. */
  abort(): Promise<void>;
}

/** Where annotations lie while they are written. */
export const partialPath = (target: string): string => `${target}.partial`;

const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 500;

export interface WriterOptions {
  /** Bytes of the partial file to go on behind, its header among them; a new file is begun when absent. */
  readonly keep?: number | undefined;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
}

/** Begins, or goes on with, the annotations of `target`. Fails, as all its methods do, with NOT_WRITABLE or DISK_FULL. */
export async function openAnnotationWriter(
  target: string,
  header: AnnotationHeader,
  { keep, now = () => performance.now() }: WriterOptions = {},
): Promise<AnnotationWriter> {
  const draft = partialPath(target);
  const explain = (cause: unknown): never => {
    throw writeFailure(cause, target);
  };
  const file = await open(draft, keep === undefined ? "w" : "r+").catch(explain);
  let at = keep ?? 0;
  let text = keep === undefined ? headerText(header) : "";
  let flushed = now();
  let closed = false;

  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(text);
    text = "";
    flushed = now();
    // A full disk may take a part: what is not a whole line then is cut off again.
    const lastWhole = at;
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    } catch (cause) {
      await file.truncate(lastWhole).catch(() => undefined);
      at = lastWhole;
      throw cause;
    }
  };
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await file.close();
  };

  try {
    await file.truncate(at);
    await flush();
  } catch (cause) {
    await close();
    explain(cause);
  }
  return {
    async write(line) {
      text += lineText(line);
      if (text.length >= FLUSH_BYTES || now() - flushed >= FLUSH_MS) await flush().catch(explain);
    },
    async finish() {
      try {
        await flush();
        await file.datasync();
        await close();
        await rename(draft, target);
      } catch (cause) {
        await close();
        explain(cause);
      }
    },
    async pause() {
      if (closed) return;
      // What cannot be written any more is found out again by whoever goes on.
      await flush().catch(() => undefined);
      await close();
    },
    async abort() {
      await close();
      await rm(draft, { force: true });
    },
  };
}
