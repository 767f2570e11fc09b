// The database of what the server must remember, multibox.db in the data folder: opened, checked, brought up to date.
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "libsql";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { MIGRATIONS } from "./migrations.ts";

export type Db = Database.Database;

export interface Store {
  /** Synchronous, as better-sqlite3: for small statements only, what takes long belongs in a worker thread. */
  readonly db: Db;
  /** All or nothing; the work must be synchronous. */
  transact<T>(work: () => T): T;
  /** Idempotent. */
  close(): void;
}

/** The path of `multibox.db`, in a data folder. */
export const storePath = (dataDir: string): string => join(dataDir, "multibox.db");

/**
 * Opens the database, which is made if it is not there, readable by its owner alone. `:memory:` is one that is forgotten.
 * Fails with STORE_DAMAGED, STORE_NEWER or STORE_UNAVAILABLE; nothing is ever deleted or mended.
 */
export function openStore(path: string, migrations: readonly string[] = MIGRATIONS): Store {
  let db: Db | undefined;
  try {
    db = openDatabase(path);
    checkIntegrity(db, path);
    migrate(db, path, migrations);
  } catch (error) {
    db?.close();
    throw storeError(error, path);
  }
  const opened = db;
  return {
    db: opened,
    transact: (work) => transact(opened, work),
    close: () => closeDatabase(opened),
  };
}

export interface DatabaseOptions {
  /** How long another process, `multibox token` for example, is waited for. */
  readonly timeoutMs?: number;
  readonly journal?: "WAL" | "DELETE";
  /** Whether free pages can be given back; only a new file can still be made so. */
  readonly shrinks?: boolean;
}

/** A database file that only its owner can read, in WAL mode, so that readers and a writer do not wait for each other. */
export function openDatabase(path: string, options: DatabaseOptions = {}): Db {
  const { timeoutMs = 5000, journal = "WAL", shrinks = false } = options;
  if (path !== ":memory:") {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives its other files, which hold the same secrets, the permissions of the first.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  }
  const db = new Database(path, { timeout: timeoutMs });
  try {
    if (shrinks) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(`PRAGMA journal_mode = ${journal}`);
    // In WAL mode a crash of the process loses nothing, one of the machine the last moments at most, and none breaks the file.
    db.exec("PRAGMA synchronous = NORMAL");
    db.exec("PRAGMA foreign_keys = ON");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Idempotent. libsql keeps a database open while statements of it are remembered, so its log is emptied here. */
export function closeDatabase(db: Db): void {
  if (!db.open) return;
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // A full disk: the log stays, and the next one to open the database reads it.
  }
  db.close();
}

/** libsql's own `transaction` hides why it failed where SQLite has rolled back by itself, on a full disk for example. */
export function transact<T>(db: Db, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** The one number that a statement without parameters gives, a pragma for example. */
export function numberOf(db: Db, sql: string): number {
  return (db.prepare(sql).raw().get() as [number])[0];
}

/** Brings a database through the steps that it has not been through. Fails with STORE_NEWER. */
export function migrate(db: Db, path: string, migrations: readonly string[]): void {
  const version = numberOf(db, "PRAGMA user_version");
  if (version > migrations.length) {
    throw new MultiboxError(
      "STORE_NEWER",
      `The database ${path} was written by a newer multibox: it is at step ${version}, this one knows ${migrations.length}.`,
      "Run the newer multibox, or give this one another --data-dir.",
    );
  }
  migrations.slice(version).forEach((sql, i) => {
    transact(db, () => {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${version + i + 1}`);
    });
  });
}

/** What went wrong with a database file, as a sentence; anything that is not the file's fault comes back as it was. */
export function storeError(error: unknown, path: string): unknown {
  const code = systemCode(error) ?? "";
  if (error instanceof MultiboxError || code === "SQLITE_ERROR" || code.startsWith("SQLITE_CONSTRAINT")) return error;
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) return damaged(path, sentenceOf(error), error);
  const sentence = (why: string): MultiboxError =>
    new MultiboxError("STORE_UNAVAILABLE", `The database ${path} cannot be used: ${why}.`, HINT, { cause: error });
  if (code.startsWith("SQLITE_FULL") || code === "ENOSPC" || code === "EDQUOT") return sentence("the disk is full");
  if (code === "EEXIST" || code === "ENOTDIR") return sentence("its folder is no folder");
  if (code.startsWith("SQLITE_BUSY")) return sentence("another program keeps it locked");
  if (code.startsWith("SQLITE_") || code.startsWith("E")) return sentence(sentenceOf(error).replace(/\.$/, ""));
  return error;
}

const HINT = "Make its folder writable, or choose another with --data-dir.";

function checkIntegrity(db: Db, path: string): void {
  const found = (db.prepare("PRAGMA quick_check(1)").raw().get() as [string])[0];
  if (found !== "ok") throw damaged(path, found);
}

function damaged(path: string, why: string, cause?: unknown): MultiboxError {
  const hint = "Put a copy of it back, or move it away to start with an empty one; nothing in it was changed.";
  return new MultiboxError("STORE_DAMAGED", `The database ${path} is damaged: ${why}.`, hint, { cause });
}
