// The thread that a detector runs in: opens the model, says so, then answers one batch after the other.
import { parentPort, workerData } from "node:worker_threads";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Picture } from "./detection.ts";
import {
  type BatchResult,
  createDetector,
  type Detector,
  type DetectorInfo,
  type DetectorOptions,
  floorOf,
} from "./detector.ts";
import type { CompiledOnnx } from "./engines/compiled-onnx.ts";
import type { EngineOptions } from "./engines/engine.ts";
import { type EngineName, type NamedEngine, openCompiled, type OpenedEngine, openEngine } from "./engines/open.ts";
import type { SsdSpec } from "./spec.ts";

/** What the thread is started with. */
export interface WorkerSetup extends EngineOptions, DetectorOptions {
  /** Of a bundle. */
  readonly folder: string;
  readonly engine: EngineName;
}

/** A model that one thread has read and compiled for others. */
export interface CompiledModel {
  readonly spec: SsdSpec;
  readonly network: CompiledOnnx;
}

export type WorkerRequest =
  | OpenRequest
  | { readonly type: "detect"; readonly pictures: readonly Picture[] }
  | { readonly type: "warm-up" }
  | { readonly type: "close" };

/** The first request. Without `compiled` the thread reads the bundle itself; onnx:cpu alone is compiled for others. */
export interface OpenRequest {
  readonly type: "open";
  readonly compiled?: CompiledModel | undefined;
  readonly compilesForOthers?: boolean | undefined;
}

/** An error as data: a MultiboxError keeps its code across threads. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Exactly one for each request, in order; before `ready` there is `compiled` where that was asked for. */
export type WorkerReply =
  | { readonly type: "compiled"; readonly compiled: CompiledModel }
  | { readonly type: "ready"; readonly info: DetectorInfo; readonly engine: NamedEngine }
  | { readonly type: "result"; readonly result: BatchResult }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: WireError };

const port = parentPort!;
const setup = workerData as WorkerSetup;

let opening: Promise<Detector> | undefined;
port.on("message", (request: WorkerRequest) => {
  void answer(request)
    .catch((error: unknown): WorkerReply => ({ type: "failed", error: toWire(error) }))
    .then((reply) => {
      port.postMessage(reply);
      if (request.type === "close") port.close();
    });
});

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  if (request.type === "open") {
    const opened = open(request);
    opening = opened.then(({ detector }) => detector);
    const { detector, name } = await opened;
    return { type: "ready", info: detector.info, engine: name };
  }
  // It may be closed before it was opened, or while it is.
  const detector = await opening?.catch(() => undefined);
  if (request.type === "detect") return { type: "result", result: await detector!.detect(request.pictures) };
  if (request.type === "warm-up") await detector!.warmUp();
  else await detector?.close();
  return { type: "done" };
}

async function open(request: OpenRequest): Promise<{ detector: Detector; name: NamedEngine }> {
  const [spec, opened] = await openModel(request);
  return { detector: createDetector({ spec }, opened, setup), name: opened.name };
}

/** What reads and compiles is loaded where it is needed: a thread that is given a compiled model starts without. */
async function openModel({ compiled, compilesForOthers }: OpenRequest): Promise<[SsdSpec, OpenedEngine]> {
  if (compiled) return [compiled.spec, await openCompiled(setup.engine, compiled.network, setup)];
  const { readBundle } = await import("./bundle.ts");
  const bundle = await readBundle(setup.folder);
  const { spec } = bundle;
  const options = { ...setup, floor: floorOf(spec, setup) };
  if (!compilesForOthers) return [spec, await openEngine(setup.engine, bundle, options)];
  const { compileForCpu } = await import("./engines/compiled-onnx.ts");
  const network = compileForCpu(bundle, options);
  const model = new Uint8Array(new SharedArrayBuffer(network.model.length));
  model.set(network.model);
  port.postMessage({ type: "compiled", compiled: { spec, network: { ...network, model } } } satisfies WorkerReply);
  return [spec, await openCompiled(setup.engine, network, setup)];
}

function toWire(error: unknown): WireError {
  if (error instanceof MultiboxError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "ENGINE_FAILED", message: `The engine failed: ${sentenceOf(error)}.`, hint: "" };
}
