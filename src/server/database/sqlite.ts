// SQLite as this server uses it, synchronous: for a database thread, or a command that has nothing else to do.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { isForeign } from "./file-watch.ts";
import { MultiboxError } from "../../errors.ts";

export type Db = Database.Database;

export interface DatabaseOptions {
  /** How long a statement waits, and blocks its thread, while another process has the lock. */
  readonly timeoutMs?: number;
  readonly journal?: "WAL" | "DELETE";
  /** Whether free pages can be returned to the file system; only a new file can still be made so. */
  readonly shrinks?: boolean;
}

/** A database file that only its owner can read, in WAL mode, so that readers and a writer do not wait for each other. */
export function openDatabase(path: string, options: DatabaseOptions = {}): Db {
  const { timeoutMs = 5000, journal = "WAL", shrinks = false } = options;
  if (path !== ":memory:") {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    putBack(path);
    // SQLite gives its other files, which hold the same secrets, the permissions of the first.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    // SQLite does not look where its log has the first page, and would write that over whatever the file is.
    if (isForeign(path)) throw Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" });
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

/**
 * Idempotent. libsql keeps a database open while statements of it are remembered, so its log is emptied here; `isDamaged`: not into a
 * damaged file, whose log may hold the only good copy of a page.
 */
export function closeDatabase(db: Db, isDamaged = false): void {
  if (!db.open) return;
  try {
    if (!isDamaged) db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // A full disk: the log stays, and the next one to open the database reads it.
  }
  db.close();
}

/** A damaged database has this name while its last connection ends. */
const asideOf = (path: string): string => `${path}-damaged`;

/**
 * Before a connection to a damaged file ends, which may be as late as its thread does: SQLite then writes the log into the file and
 * deletes the log, unless the file has been moved. `putBack` moves it back.
 */
export function moveAside(path: string): void {
  try {
    renameSync(path, asideOf(path));
  } catch {
    // It is deleted, or its folder cannot be written: then SQLite does not write either.
  }
}

export function putBack(path: string): void {
  if (!existsSync(path) && existsSync(asideOf(path))) renameSync(asideOf(path), path);
}

/** What is wrong with the file; undefined if nothing is. Reads the whole file. */
export function faultOf(db: Db): string | undefined {
  const found = (db.prepare("PRAGMA quick_check(1)").raw().get() as [string])[0];
  return found === "ok" ? undefined : found.replace("*** in database main ***\n", "");
}

/** The same of a database that is in use, whose pages SQLite remembers. */
export function faultOnDisk(db: Db): string | undefined {
  db.exec("PRAGMA shrink_memory");
  return faultOf(db);
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
