// What is wrong with a database file, as a sentence with a code.
import { MultiboxError, sentenceOf, systemCode } from "../../errors.ts";

/** What is wrong with a database file, as a sentence; anything that is not the file's fault is returned unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const code = systemCode(error) ?? "";
  if (error instanceof MultiboxError || code.startsWith("SQLITE_CONSTRAINT")) return error;
  // Statements are fixed, so a missing table is the file's fault.
  const isForeign = code === "SQLITE_ERROR" && /no such (table|column)/.test(sentenceOf(error));
  if (code === "SQLITE_ERROR" && !isForeign) return error;
  if (isForeign || code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT"))
    return damaged(path, sentenceOf(error), error);
  const sentence = (why: string, hint: string = HINT): MultiboxError => unavailable(path, why, hint, error);
  if (isFull(code)) return sentence("the disk is full");
  if (code === "EEXIST" || code === "ENOTDIR") return sentence("its folder is no folder");
  if (code.startsWith("SQLITE_BUSY"))
    return sentence("another program keeps it locked", "Try again; if it stays locked, find the program and stop it.");
  if (code.startsWith("SQLITE_") || code.startsWith("E")) return sentence(sentenceOf(error).replace(/\.$/, ""));
  return error;
}

/** Whether another process has the lock, so that the same statement can succeed later. Nothing of it was done. */
export function isBusy(error: unknown): boolean {
  return (systemCode(error) ?? "").startsWith("SQLITE_BUSY");
}

/** Whether the failure passes by itself or with a bit of room on the disk: the database is in order. */
export function isPassing(error: unknown): boolean {
  const cause = error instanceof MultiboxError ? error.cause : error;
  return isBusy(cause) || isFull(systemCode(cause) ?? "");
}

export function damaged(path: string, why: string, cause?: unknown): MultiboxError {
  const hint =
    "Put a copy of it back, or move it away to start with an empty one: what belongs to the old one is then moved to quarantine/ in its folder.";
  return new MultiboxError("STORE_DAMAGED", `The database ${path} is damaged: ${why}.`, hint, { cause });
}

/** `why` completes "The database PATH cannot be used: ". */
export function unavailable(path: string, why: string, hint: string = HINT, cause?: unknown): MultiboxError {
  return new MultiboxError("STORE_UNAVAILABLE", `The database ${path} cannot be used: ${why}.`, hint, { cause });
}

const HINT = "Make its folder writable, or choose another with --data-dir.";

function isFull(code: string): boolean {
  return code.startsWith("SQLITE_FULL") || code === "ENOSPC" || code === "EDQUOT";
}
