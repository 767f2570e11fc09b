// What the history's thread is asked, and what it answers: one after the other, in the order in which it was asked.
import { join } from "node:path";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { startWorker } from "../../worker-entry.ts";
import type { FrameRecord } from "./frame-record.ts";
import { countLabels, findFrames, type Count, type FindQuery, type Found, type StatsQuery } from "./history-query.ts";
import type { HistoryLimits, HistoryStore } from "./history-store.ts";
import type { ErrorBody } from "../api/error-body.ts";

export type HistoryRequest =
  | { readonly kind: "write"; readonly records: readonly FrameRecord[] }
  | { readonly kind: "read"; readonly stream: string; readonly after: number; readonly limit: number }
  | { readonly kind: "first"; readonly stream: string; readonly after: number }
  | { readonly kind: "find"; readonly query: FindQuery }
  | { readonly kind: "stats"; readonly query: StatsQuery };

interface Values {
  readonly write: undefined;
  readonly read: FrameRecord[];
  readonly first: number | undefined;
  readonly find: Found;
  readonly stats: Count[];
}

export type HistoryReply<Kind extends HistoryRequest["kind"] = HistoryRequest["kind"]> =
  | { readonly value: Values[Kind] }
  | { readonly error: ErrorBody };

export interface HistoryPort {
  /** Calls back once, later, in the order of asking. */
  ask<R extends HistoryRequest>(request: R, callback: (reply: HistoryReply<R["kind"]>) => void): void;
  close(): Promise<void>;
}

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

/** The port of a worker thread, which is started anew when it has died; what it was asked then fails. */
export function openHistoryPort({ heldMs, ...data }: HistoryPortOptions): HistoryPort {
  type Callback = (reply: HistoryReply) => void;
  let waiting: Callback[] = [];
  let isClosing = false;
  const start = (): ReturnType<typeof startWorker> => {
    const worker = startWorker(new URL("./history-worker.ts", import.meta.url), { ...data, heldMs: heldMs() });
    let death = "its thread ended";
    worker.on("message", (reply: HistoryReply) => waiting.shift()?.(reply));
    worker.on("error", (error) => (death = sentenceOf(error)));
    worker.on("exit", () => {
      const left = waiting;
      waiting = [];
      if (!isClosing) current = start();
      for (const callback of left)
        callback({ error: { code: "HISTORY_FAILED", message: `The history failed: ${death}.`, hint: "" } });
    });
    worker.unref();
    return worker;
  };
  let current = start();
  return {
    ask: (request, callback) => {
      waiting.push(callback as Callback);
      current.postMessage(request);
    },
    close: () =>
      new Promise((resolve) => {
        isClosing = true;
        // Nothing else may be left that keeps the process alive until it has gone.
        current.ref();
        current.once("exit", () => resolve());
        current.postMessage("close");
      }),
  };
}

/** Answers one request; every failure is an answer too. */
export function answer(store: () => HistoryStore, request: HistoryRequest): HistoryReply {
  try {
    return { value: valueOf(store(), request) };
  } catch (error) {
    const { code, message, hint } =
      error instanceof MultiboxError
        ? error
        : { code: "HISTORY_FAILED", message: `The history failed: ${sentenceOf(error)}.`, hint: "" };
    return { error: { code, message, hint } };
  }
}

function valueOf(store: HistoryStore, request: HistoryRequest): Values[HistoryRequest["kind"]] {
  switch (request.kind) {
    case "write":
      store.write(request.records);
      return undefined;
    case "read":
      return store.read(request.stream, request.after, request.limit);
    case "first":
      return store.first(request.stream, request.after);
    case "find":
      return findFrames(store, request.query);
    case "stats":
      return countLabels(store, request.query);
  }
}
