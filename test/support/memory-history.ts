// The history's database in memory and in this thread, answering later, as the thread does.
import type { ErrorBody } from "../../src/server/api/error-body.ts";
import { openedHistory } from "../../src/server/history/history-operations.ts";
import type { HistoryPort } from "../../src/server/history/history-port.ts";
import { HistoryStore } from "../../src/server/history/history-store.ts";
import { transact } from "../../src/server/database/sqlite.ts";
import { sentenceOf } from "../../src/errors.ts";

export interface MemoryHistory extends HistoryPort {
  readonly store: HistoryStore;
  /** What every request fails with, while it is set. */
  broken: ErrorBody | undefined;
}

/** `later` calls back in order; when, is its choice. */
export function memoryHistory(later: (callback: () => void) => void = setImmediate, path = ":memory:"): MemoryHistory {
  const store = new HistoryStore(path);
  const { db, reads, writes } = openedHistory(store, () => false);
  const operations = { ...reads, ...writes };
  const port: MemoryHistory = {
    store,
    broken: undefined,
    failure: undefined,
    ask: (name, argument, callback) => {
      // As it is sent to another thread: what is asked now is asked for good.
      const sent = structuredClone(argument);
      later(() => {
        if (port.broken) return callback({ error: port.broken });
        try {
          callback({ value: transact(db, () => operations[name]!(sent as never)) as never });
        } catch (error) {
          store.forgetNames();
          callback({ error: { code: "HISTORY_FAILED", message: sentenceOf(error), hint: "" } });
        }
      });
    },
    close: () => {
      store.close();
      return Promise.resolve();
    },
  };
  return port;
}
