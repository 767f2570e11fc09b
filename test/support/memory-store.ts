// The database of the server in memory and in this thread, answering later, as its thread does.
import { Answering } from "../../src/server/database/answering.ts";
import { closeDatabase, type Db } from "../../src/server/database/sqlite.ts";
import { openStore, type Store } from "../../src/server/database/store.ts";
import { openedStore } from "../../src/server/database/store-operations.ts";
import type { ErrorBody } from "../../src/server/api/error-body.ts";

export type MemoryStore = Store & { readonly db: Db };

export function memoryStore(path = ":memory:"): MemoryStore {
  const db = openStore(path);
  const opened = openedStore(db);
  const callbacks = new Map<number, (reply: never) => void>();
  let failure: ErrorBody | undefined;
  let nextId = 0;
  let isClosed = false;
  const answering = new Answering(
    // What a test does on the same connection is no change by another process.
    { path, open: () => ({ ...opened, reads: { ...opened.reads, tokens: () => opened.reads.tokens!(undefined) } }) },
    (answer) => {
      if (!("id" in answer)) {
        failure = answer.failure;
        return;
      }
      callbacks.get(answer.id)?.(answer as never);
      callbacks.delete(answer.id);
    },
    { bugCode: "INTERNAL" },
  );
  return {
    db,
    get failure() {
      return failure;
    },
    ask: (name, argument, callback) => {
      const call = { id: nextId++, name, argument: structuredClone(argument) };
      const error = { code: "STORE_UNAVAILABLE", message: "The database is closed.", hint: "" };
      if (isClosed) return void setImmediate(() => callback({ error }));
      callbacks.set(call.id, callback);
      setImmediate(() => answering.take(call));
    },
    close: async () => {
      isClosed = true;
      while (callbacks.size > 0) await new Promise(setImmediate);
      await answering.close();
      closeDatabase(db);
    },
  };
}
