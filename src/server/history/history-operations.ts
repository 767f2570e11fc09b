// What can be done with history.db in its thread.
import type { OpenedDatabase } from "../database/answering.ts";
import type { FrameRecord } from "./frame-record.ts";
import { countLabels, type FindQuery, findFrames, type StatsQuery } from "./history-query.ts";
import type { HistoryStore } from "./history-store.ts";

interface FramesAfter {
  readonly stream: string;
  readonly after: number;
}

const readsOf = (store: HistoryStore) => ({
  read: ({ stream, after, limit }: FramesAfter & { readonly limit: number }) => store.read(stream, after, limit),
  first: ({ stream, after }: FramesAfter) => store.first(stream, after),
  find: (query: FindQuery) => findFrames(store, query),
  stats: (query: StatsQuery) => countLabels(store, query),
});

const writesOf = (store: HistoryStore) => ({
  write: (records: readonly FrameRecord[]): void => store.insert(records),
});

export type HistoryOperations = ReturnType<typeof readsOf> & ReturnType<typeof writesOf>;

/** `sweep` runs between calls, and again at once where it returns true. */
export function openedHistory(
  store: HistoryStore,
  sweep: (store: HistoryStore) => boolean,
): OpenedDatabase<HistoryOperations> {
  return {
    db: store.db,
    reads: readsOf(store),
    writes: writesOf(store),
    tidy: () => sweep(store),
    onUndone: () => store.forgetNames(),
    // It is too large to be read whole each time.
    close: (isDamaged) => store.close(isDamaged),
  };
}
