// The thread that has multibox.db.
import { workerData } from "node:worker_threads";
import { answerCalls } from "./answer-calls.ts";
import { openRaw, type StoreData } from "./store.ts";
import { openedStore } from "./store-operations.ts";

const { path } = workerData as StoreData;

// A lock is waited for between calls, so that reads are answered meanwhile.
answerCalls({ path, open: () => openedStore(openRaw(path, { timeoutMs: 0 })) }, { bugCode: "INTERNAL" });
