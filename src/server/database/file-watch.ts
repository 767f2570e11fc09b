// Whether an open database is still the file at its path, and still one: changes of a deleted or damaged one are not found again.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import type { MultiboxError } from "../../errors.ts";
import { KnownPath } from "../known-path.ts";
import { damaged, unavailable } from "./store-error.ts";

/** What every database file begins with: `https://sqlite.org/fileformat.html`. */
const HEADER = "SQLite format 3\0";

/**
 * A database and its log. Made right after the database is opened, and closed after it: while SQLite has locks on a file, closing
 * another descriptor of it in the same process would release them. Nothing is checked for one in memory.
 */
export class FileWatch {
  readonly #path: string;
  readonly #files: readonly KnownPath[];
  readonly #descriptor: number | undefined;
  #hadHeader = false;
  /** When the file itself was last written, in nanoseconds; in WAL mode that is at a checkpoint. */
  #written: bigint | undefined;

  constructor(path: string) {
    this.#path = path;
    const isFile = path !== ":memory:";
    this.#files = isFile ? [path, `${path}-wal`].map((file) => new KnownPath(file)) : [];
    this.#descriptor = isFile ? openSync(path, "r") : undefined;
    this.failure();
    this.isWritten();
  }

  /** STORE_UNAVAILABLE where a file was deleted or replaced, STORE_DAMAGED where it is no database any more; undefined while all is well. */
  failure(): MultiboxError | undefined {
    for (const file of this.#files) {
      const change = file.change();
      if (change === undefined) continue;
      const which = file.path === this.#path ? "it" : "its log, the file that ends in -wal,";
      const hint = "Changes are refused. Put it back, or restart the server.";
      return unavailable(basename(this.#path), `${which} ${change}`, hint);
    }
    if (this.#descriptor === undefined) return undefined;
    const isWhole = headerOf(this.#descriptor) === HEADER;
    if (this.#hadHeader && !isWhole) return damaged(basename(this.#path), "its first bytes were overwritten");
    this.#hadHeader = isWhole;
    return undefined;
  }

  /** Whether anybody has written to the database file, the log aside, since this was last asked. */
  isWritten(): boolean {
    if (this.#descriptor === undefined) return false;
    const { mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    const isNew = mtimeNs !== this.#written;
    this.#written = mtimeNs;
    return isNew;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

/** Whether a file has content, and is no database. For a file that this process has not opened as one. */
export function isForeign(path: string): boolean {
  const descriptor = openSync(path, "r");
  try {
    const found = headerOf(descriptor);
    return found !== "" && found !== HEADER;
  } finally {
    closeSync(descriptor);
  }
}

function headerOf(descriptor: number): string {
  const bytes = Buffer.alloc(HEADER.length);
  return bytes.toString("latin1", 0, readSync(descriptor, bytes, 0, bytes.length, 0));
}
