// The data folder is one server's alone: two would number the frames of one stream twice, and start the same streams.
import { join } from "node:path";
import { MultiboxError, systemCode } from "../errors.ts";
import { type Db, openDatabase } from "./database/sqlite.ts";
import { storeError } from "./database/store-error.ts";
import { createPrivately } from "./private-files.ts";

/**
 * Takes the folder until the function that it returns is called, or the process ends, however it ends: a lock of the
 * operating system's on a file of its own, kept by SQLite. What the process creates from here on only its owner can read.
 * Fails with DATA_DIR_IN_USE, and as `openStore` does.
 */
export function lockDataDir(dataDir: string): () => void {
  createPrivately();
  const path = join(dataDir, "server.lock");
  let db: Db | undefined;
  try {
    db = openDatabase(path, { timeoutMs: 0, journal: "DELETE" });
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    if (!(systemCode(error) ?? "").startsWith("SQLITE_BUSY")) throw storeError(error, path);
    throw new MultiboxError(
      "DATA_DIR_IN_USE",
      `Another multibox server uses the data folder ${dataDir}.`,
      "Stop it, or give this one a folder of its own with --data-dir.",
      { cause: error },
    );
  }
  return () => {
    if (db.open) db.close();
  };
}
