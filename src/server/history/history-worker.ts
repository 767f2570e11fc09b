// The history's thread: SQLite is synchronous, and a commit that waits for the disk, or a sweep, must hold up no frame.
import { parentPort, workerData } from "node:worker_threads";
import { answer, type HistoryRequest, type HistoryWorkerData } from "./history-port.ts";
import { HistoryStore } from "./history-store.ts";
import { ClockWatch } from "../clock-watch.ts";
import { Retention } from "../retention.ts";

const { path, heldMs, ...limits } = workerData as HistoryWorkerData;
const SWEEP_MS = 5000;

let opened: HistoryStore | undefined;
const retention = new Retention({ watch: new ClockWatch({ heldMs }), maxAgeMs: limits.hours * 3_600_000 });
/** Tried with each request until it opens: a disk may be mended meanwhile. */
const store = (): HistoryStore => (opened ??= new HistoryStore(path));

parentPort!.on("message", (request: HistoryRequest | "close") => {
  if (request !== "close") {
    parentPort!.postMessage(answer(store, request));
    return;
  }
  clearTimeout(timer);
  opened?.close();
  parentPort!.close();
});

let timer = setTimeout(sweep, SWEEP_MS);

/** A slice at a time, so that requests come between. */
function sweep(): void {
  let isMore = false;
  try {
    isMore = opened !== undefined && sweepOnce(opened);
  } catch {
    // A full disk, which the next write tells of.
  }
  timer = setTimeout(sweep, isMore ? 10 : SWEEP_MS);
}

/** Whether there is more to take away at once. */
function sweepOnce(history: HistoryStore): boolean {
  const { count } = history;
  const maxExpired = retention.allowance(count);
  const { expired, isMore } = history.sweep(retention.now(), { ...limits, maxExpired });
  retention.deleted(expired, count);
  return isMore;
}
