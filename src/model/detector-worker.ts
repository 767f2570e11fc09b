// The thread that a detector runs in: opens the model, says so, then answers one batch after the other.
import { parentPort, workerData } from "node:worker_threads";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { readBundle } from "./bundle.ts";
import type { Picture } from "./detection.ts";
import { type BatchResult, createDetector, type DetectorInfo, type DetectorOptions, floorOf } from "./detector.ts";
import type { EngineOptions } from "./engines/engine.ts";
import { type EngineName, type NamedEngine, openEngine } from "./engines/open.ts";

/** What the thread is started with. */
export interface WorkerSetup extends EngineOptions, DetectorOptions {
  /** Of a bundle. */
  readonly folder: string;
  readonly engine: EngineName;
}

export type WorkerRequest =
  | { readonly type: "detect"; readonly pictures: readonly Picture[] }
  | { readonly type: "warm-up" }
  | { readonly type: "close" };

/** An error as data: a MultiboxError keeps its code across threads. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Exactly one for each request, in order, and one at the start. */
export type WorkerReply =
  | { readonly type: "ready"; readonly info: DetectorInfo; readonly engine: NamedEngine }
  | { readonly type: "result"; readonly result: BatchResult }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: WireError };

const port = parentPort!;
const setup = workerData as WorkerSetup;

try {
  const bundle = await readBundle(setup.folder);
  const opened = await openEngine(setup.engine, bundle, { ...setup, floor: floorOf(bundle.spec, setup) });
  const detector = createDetector(bundle, opened, setup);
  const answer = async (request: WorkerRequest): Promise<WorkerReply> => {
    if (request.type === "detect") return { type: "result", result: await detector.detect(request.pictures) };
    if (request.type === "warm-up") await detector.warmUp();
    else await detector.close();
    return { type: "done" };
  };
  port.on("message", (request: WorkerRequest) => {
    void answer(request)
      .catch((error: unknown): WorkerReply => ({ type: "failed", error: toWire(error) }))
      .then((reply) => {
        port.postMessage(reply);
        if (request.type === "close") port.close();
      });
  });
  port.postMessage({ type: "ready", info: detector.info, engine: opened.name } satisfies WorkerReply);
} catch (error) {
  port.postMessage({ type: "failed", error: toWire(error) } satisfies WorkerReply);
}

function toWire(error: unknown): WireError {
  if (error instanceof MultiboxError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "ENGINE_FAILED", message: `The engine failed: ${sentenceOf(error)}.`, hint: "" };
}
