// One worker thread of a detector pool: one call at a time, and the difference between being closed and dying.
import type { Worker } from "node:worker_threads";
import { MultiboxError } from "../errors.ts";
import { startWorker } from "../worker-entry.ts";
import type {
  CompiledModel,
  OpenRequest,
  WireError,
  WorkerReply,
  WorkerRequest,
  WorkerSetup,
} from "./detector-worker.ts";

/** A slow network on a busy machine answers within this time; the server gives up a little later. */
const FORCE_MS = 8000;

export interface ThreadOptions {
  readonly setup: WorkerSetup;
  /** A batch that takes longer fails, and the thread is given up; never when absent. */
  readonly timeoutMs?: number | undefined;
  /** What the thread runs: detector-worker.ts, but for tests of what a thread can do wrong. */
  readonly entry?: URL | undefined;
  /** What another thread compiles, which this one waits for; it reads the model itself when absent. Never rejects. */
  readonly compiled?: Promise<CompiledModel> | undefined;
  /** Called once, before the thread is ready: what it has compiled for others too. Where this is absent it does so for itself only. */
  readonly onCompiled?: ((compiled: CompiledModel) => void) | undefined;
  /** Once: the thread takes no more calls, because it died, its batch took too long, or it was closed. */
  readonly onLost: (error: MultiboxError) => void;
}

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
  /** Resolves when the thread is gone, however it went. */
  readonly gone: Promise<void>;
  onIdle: () => void = () => {};
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  #call: ThreadCall | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #lost = false;
  #closing: Promise<void> | undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = startWorker(options.entry ?? new URL("./detector-worker.ts", import.meta.url), options.setup);
    this.ready = new Promise<WorkerReply>((resolve, reject) => {
      this.#call = { request: { type: "open" }, resolve, reject };
    }).then((reply) => reply as ReadyReply);
    void this.#open();
    this.#worker.on("message", (reply: WorkerReply) => this.#settle(reply));
    let reason = "it exited";
    this.#worker.on("error", (error: Error) => (reason = error.message));
    this.gone = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.once("exit", () => this.#lose(this.#closing ? closedError() : diedError(reason)));
  }

  send(call: ThreadCall): void {
    this.#call = call;
    this.#worker.postMessage(call.request);
    const { timeoutMs } = this.#options;
    if (timeoutMs === undefined || call.request.type !== "detect") return;
    this.#deadline = setTimeout(() => {
      // Where it was this thread that was held up, the reply is here already, and is read before the next round begins.
      setImmediate(() => {
        if (this.#call === call) this.#lose(timeoutError(timeoutMs));
      });
    }, timeoutMs);
  }

  /** Idempotent. Resolves when the thread is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Takes leave of a thread that was lost and may still run, while the server goes on. Should its run ever come to an end, it closes
   * its engine in good order and is gone. What loops in JavaScript or WebAssembly never reads that wish and is ended, which harms
   * nobody. Native runtimes may abort the process when their thread is ended in the midst of a run, and with it all streams
   * (ONNX Runtime was seen to do so): there a thread that hangs is left alone until the server stops.
   */
  abandon(mayBeEnded: boolean): void {
    this.#worker.postMessage({ type: "close" } satisfies WorkerRequest);
    if (!mayBeEnded) return;
    const force = setTimeout(() => void this.#worker.terminate(), FORCE_MS);
    void this.gone.then(() => clearTimeout(force));
  }

  async #close(): Promise<void> {
    this.#fail(closedError());
    this.#worker.postMessage({ type: "close" } satisfies WorkerRequest);
    // A run that hangs must not keep the server from stopping. Not sooner: runtimes do not bear it, and abort the process.
    const force = setTimeout(() => void this.#worker.terminate(), FORCE_MS);
    await this.gone;
    clearTimeout(force);
  }

  async #open(): Promise<void> {
    const compiled = await this.#options.compiled;
    const compilesForOthers = this.#options.onCompiled !== undefined;
    this.#worker.postMessage({ type: "open", compiled, compilesForOthers } satisfies OpenRequest);
  }

  #lose(error: MultiboxError): void {
    if (this.#lost) return;
    this.#lost = true;
    // Before the call fails, so that who asks again at once is not sent here.
    this.#options.onLost(error);
    this.#fail(error);
  }

  #fail(error: MultiboxError): void {
    clearTimeout(this.#deadline);
    const call = this.#call;
    this.#call = undefined;
    call?.reject(error);
  }

  #settle(reply: WorkerReply): void {
    if (reply.type === "compiled") {
      this.#options.onCompiled?.(reply.compiled);
      return;
    }
    clearTimeout(this.#deadline);
    const call = this.#call;
    this.#call = undefined;
    if (reply.type === "failed") call?.reject(fromWire(reply.error));
    else call?.resolve(reply);
    if (!this.#closing && !this.#lost) this.onIdle();
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

function timeoutError(ms: number): MultiboxError {
  const sentence = `The network took longer than ${ms / 1000} s for a batch.`;
  return new MultiboxError(
    "ENGINE_TIMEOUT",
    sentence,
    "It is started again. Raise engineTimeoutSeconds where it is merely slow.",
  );
}
