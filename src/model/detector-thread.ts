// One worker thread of a detector pool: one call at a time, and the difference between being closed and dying.
import type { Worker } from "node:worker_threads";
import { MultiboxError } from "../errors.ts";
import { startWorker } from "../worker-entry.ts";
import type { WireError, WorkerReply, WorkerRequest, WorkerSetup } from "./detector-worker.ts";

/** A slow network on a busy machine answers within this time; the server gives up a little later. */
const FORCE_MS = 8000;

/** A request on its way to a thread, and who waits for the reply. */
export interface ThreadCall {
  readonly request: WorkerRequest;
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: MultiboxError) => void;
}

/** What a thread says once its model is open. */
export type ReadyReply = WorkerReply & { readonly type: "ready" };

/** `ready` says that the model is open; from then on `onIdle` is called whenever the thread can take a call. */
export class DetectorThread {
  readonly ready: Promise<ReadyReply>;
  onIdle: () => void = () => {};
  readonly #worker: Worker;
  #call: ThreadCall | undefined;
  readonly #exited: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(setup: WorkerSetup, onDeath: (error: MultiboxError) => void) {
    this.#worker = startWorker(new URL("./detector-worker.ts", import.meta.url), setup);
    this.ready = new Promise<WorkerReply>((resolve, reject) => {
      this.#call = { request: { type: "warm-up" }, resolve, reject };
    }).then((reply) => reply as ReadyReply);
    this.#worker.on("message", (reply: WorkerReply) => this.#settle(reply));
    let reason = "it exited";
    this.#worker.on("error", (error: Error) => (reason = error.message));
    this.#exited = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.once("exit", () => {
      const error = this.#closing ? closedError() : diedError(reason);
      onDeath(error);
      this.#call?.reject(error);
    });
  }

  send(call: ThreadCall): void {
    this.#call = call;
    this.#worker.postMessage(call.request);
  }

  /** Idempotent. Resolves when the thread is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#call?.reject(closedError());
    this.#call = undefined;
    this.#worker.postMessage({ type: "close" } satisfies WorkerRequest);
    // A run that hangs must not keep the server from stopping. Not sooner: runtimes do not bear it, and abort the process.
    const force = setTimeout(() => void this.#worker.terminate(), FORCE_MS);
    await this.#exited;
    clearTimeout(force);
  }

  #settle(reply: WorkerReply): void {
    const call = this.#call;
    this.#call = undefined;
    if (reply.type === "failed") call?.reject(fromWire(reply.error));
    else call?.resolve(reply);
    if (!this.#closing) this.onIdle();
  }
}

function fromWire({ code, message, hint }: WireError): MultiboxError {
  return new MultiboxError(code, message, hint);
}

export function closedError(): MultiboxError {
  return new MultiboxError("ENGINE_CLOSED", "The detector was closed.", "It is stopping; try again when it is up.");
}

function diedError(reason: string): MultiboxError {
  return new MultiboxError("ENGINE_DIED", `The thread that runs the network died: ${reason}.`, "It is started again.");
}
