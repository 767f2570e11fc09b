// The database of what the server must remember, multibox.db in the data folder: opened, checked, brought up to date.
import { join } from "node:path";
import { type DatabasePort, opened, startDatabase } from "./database-thread.ts";
import type { ErrorBody } from "../api/error-body.ts";
import { MIGRATIONS } from "./migrations.ts";
import { closeDatabase, type Db, faultOf, migrate, openDatabase } from "./sqlite.ts";
import { damaged, storeError } from "./store-error.ts";
import type { StoreOperations } from "./store-operations.ts";

/** `multibox.db` in its thread. */
export type Store = DatabasePort<StoreOperations>;

/** For its worker. */
export interface StoreData {
  readonly path: string;
}

/** The path of `multibox.db`, in a data folder. */
export const storePath = (dataDir: string): string => join(dataDir, "multibox.db");

/**
 * Starts its thread, and resolves when it is open and checked, however long that takes. `onFailure` gets what keeps changes from being
 * stored, and undefined when that has passed. Fails as `openStore` does.
 */
export function startStore(path: string, onFailure?: (failure: ErrorBody | undefined) => void): Promise<Store> {
  const data = (): StoreData => ({ path });
  const entry = new URL("./store-worker.ts", import.meta.url);
  return opened(startDatabase<StoreOperations>({ path, entry, data, deathCode: "STORE_UNAVAILABLE", onFailure }));
}

export interface StoreOptions {
  /** How long a statement waits, and blocks its thread, while another process has the lock. */
  readonly timeoutMs?: number;
  readonly migrations?: readonly string[];
}

/**
 * Opens it in this thread, for a command; it is created if it is not there, readable by its owner alone. `:memory:` is one that is
 * forgotten. Fails with STORE_DAMAGED, STORE_NEWER or STORE_UNAVAILABLE; nothing is ever deleted or repaired.
 */
export function openStore(path: string, options: StoreOptions = {}): Db {
  try {
    return openRaw(path, options);
  } catch (error) {
    throw storeError(error, path);
  }
}

/** The same, failing as SQLite does, so that a lock is seen as one. */
export function openRaw(path: string, { timeoutMs, migrations = MIGRATIONS }: StoreOptions = {}): Db {
  const db = openDatabase(path, timeoutMs === undefined ? {} : { timeoutMs });
  try {
    const fault = faultOf(db);
    if (fault !== undefined) throw damaged(path, fault);
    migrate(db, path, migrations);
    return db;
  } catch (error) {
    // Its log stays as it is: nothing is written into a file that is damaged, or a newer multibox's.
    closeDatabase(db, true);
    throw error;
  }
}
