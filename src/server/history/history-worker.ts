// The history's thread: a commit that waits for the disk, or a sweep, must hold up no frame.
import { workerData } from "node:worker_threads";
import { answerCalls } from "../database/answer-calls.ts";
import type { OpenedDatabase } from "../database/answering.ts";
import { ClockWatch } from "../clock-watch.ts";
import { Retention } from "../retention.ts";
import { openedHistory } from "./history-operations.ts";
import type { HistoryWorkerData } from "./history-port.ts";
import { HistoryStore } from "./history-store.ts";

const { path, heldMs, ...limits } = workerData as HistoryWorkerData;
const retention = new Retention({ watch: new ClockWatch({ heldMs }), maxAgeMs: limits.hours * 3_600_000 });

// A lock is waited for between calls, so that frames are read meanwhile.
const open = (): OpenedDatabase => openedHistory(new HistoryStore(path, { timeoutMs: 0 }), sweep);

answerCalls({ path, open }, { bugCode: "HISTORY_FAILED" });

/** Whether there is more to delete at once. */
function sweep(history: HistoryStore): boolean {
  const { count } = history;
  const maxExpired = retention.allowance(count);
  const { expired, isMore } = history.sweep(retention.now(), { ...limits, maxExpired });
  retention.deleted(expired, count);
  return isMore;
}
