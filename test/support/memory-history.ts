// The history's database in memory and in this thread, answering later, as the thread does.
import {
  answer,
  type HistoryPort,
  type HistoryReply,
  type HistoryRequest,
} from "../../src/server/history/history-port.ts";
import { HistoryStore } from "../../src/server/history/history-store.ts";

export interface MemoryHistory extends HistoryPort {
  readonly store: HistoryStore;
  /** What every request fails with, while it is set. */
  broken: { code: string; message: string; hint: string } | undefined;
}

/** `later` calls back in order; when, is its choice. */
export function memoryHistory(later: (callback: () => void) => void = setImmediate, path = ":memory:"): MemoryHistory {
  const store = new HistoryStore(path);
  const port: MemoryHistory = {
    store,
    broken: undefined,
    ask: (request: HistoryRequest, callback: (reply: never) => void) => {
      // As it is sent to another thread: what is asked now is asked for good.
      const sent = structuredClone(request);
      later(() => {
        const reply: HistoryReply = port.broken ? { error: port.broken } : answer(() => store, sent);
        callback(reply as never);
      });
    },
    close: () => {
      store.close();
      return Promise.resolve();
    },
  };
  return port;
}
