// The history's database in its thread: what it is asked, and what it answers.
import { join } from "node:path";
import { type DatabasePort, startDatabase } from "../database/database-thread.ts";
import type { HistoryLimits } from "./history-store.ts";
import type { HistoryOperations } from "./history-operations.ts";

export type HistoryPort = DatabasePort<HistoryOperations>;

export interface HistoryWorkerData extends HistoryLimits {
  readonly path: string;
  /** Milliseconds for which nothing is deleted for its age. */
  readonly heldMs: number;
}

export interface HistoryPortOptions extends Omit<HistoryWorkerData, "heldMs"> {
  /** Asked when its thread starts. */
  readonly heldMs: () => number;
}

export const historyPath = (dataDir: string): string => join(dataDir, "history.db");

/** It is opened by the first call, and tried again by each one while it cannot be: a disk may come back meanwhile. */
export function openHistoryPort({ heldMs, ...data }: HistoryPortOptions): HistoryPort {
  const entry = new URL("./history-worker.ts", import.meta.url);
  const dataOf = (): HistoryWorkerData => ({ ...data, heldMs: heldMs() });
  return startDatabase<HistoryOperations>({ path: data.path, entry, data: dataOf, deathCode: "HISTORY_FAILED" });
}
