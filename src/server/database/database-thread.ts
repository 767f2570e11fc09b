// A database in a worker thread: typed calls to it, bounded, so that no lock and no slow disk holds up the event loop.
import type { Worker } from "node:worker_threads";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { startWorker } from "../../worker-entry.ts";
import type { ErrorBody } from "../api/error-body.ts";
import { putBack } from "./sqlite.ts";
import { type Answer, type Call, OPEN, type Operations } from "./answering.ts";

export type Reply<T> = { readonly value: T } | { readonly error: ErrorBody };

/** `O`: the operations of the database; each takes one argument. */
export interface DatabasePort<O extends Operations> {
  /** Calls back once, later. Writes are done in the order of the calls; a write that is answered is kept. */
  ask<Name extends keyof O & string>(
    name: Name,
    argument: Parameters<O[Name]>[0],
    callback: (reply: Reply<ReturnType<O[Name]>>) => void,
  ): void;
  /** What keeps changes from being stored, as far as is known; a lock that is waited for is no such thing. */
  readonly failure: ErrorBody | undefined;
  /** After the calls that were made before. */
  close(): Promise<void>;
}

export interface ThreadOptions {
  /** Of the database. */
  readonly path: string;
  /** The worker's source, which calls `answerCalls`. */
  readonly entry: URL;
  /** What it gets as `workerData`; asked each time it starts. */
  readonly data: () => unknown;
  /** The code of a thread that died. */
  readonly deathCode: string;
  readonly onFailure?: ((failure: ErrorBody | undefined) => void) | undefined;
  /** Calls that wait at the same time; more fail with STORE_UNAVAILABLE. */
  readonly maxWaiting?: number | undefined;
}

type Callback = (reply: Reply<never>) => void;

/** A thread that has died is started again by the next call; what it was asked has failed. */
export function startDatabase<O extends Operations>(options: ThreadOptions): DatabasePort<O> {
  return new DatabaseThread(options) as DatabasePort<O>;
}

/** Rejects with the MultiboxError that the reply names. INTERNAL, a bug, becomes a plain error, which the log shows. */
export function callOf<O extends Operations, Name extends keyof O & string>(
  port: DatabasePort<O>,
  name: Name,
  argument: Parameters<O[Name]>[0],
): Promise<ReturnType<O[Name]>> {
  return new Promise((resolve, reject) => {
    port.ask(name, argument, (reply) => ("value" in reply ? resolve(reply.value) : reject(errorOf(reply.error))));
  });
}

/** Resolves when the database is open. Fails with STORE_DAMAGED, STORE_NEWER or STORE_UNAVAILABLE. */
export async function opened<O extends Operations>(port: DatabasePort<O>): Promise<DatabasePort<O>> {
  try {
    await callOpen(port);
    return port;
  } catch (error) {
    await port.close();
    throw error;
  }
}

/** Resolves when the database is open; each call tries again. Fails as `opened` does. */
export function callOpen<O extends Operations>(port: DatabasePort<O>): Promise<void> {
  return callOf(port as unknown as DatabasePort<{ readonly [OPEN]: (argument: undefined) => void }>, OPEN, undefined);
}

export function errorOf({ code, message, hint }: ErrorBody): Error {
  return code === "INTERNAL" ? new Error(message) : new MultiboxError(code, message, hint);
}

class DatabaseThread implements DatabasePort<Operations> {
  readonly #options: ThreadOptions;
  readonly #maxWaiting: number;
  readonly #waiting = new Map<number, Callback>();
  #worker: Worker | undefined;
  #failure: ErrorBody | undefined;
  #nextId = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaiting ?? 4096;
    this.#worker = this.#start();
  }

  get failure(): ErrorBody | undefined {
    return this.#failure;
  }

  ask(name: string, argument: unknown, callback: Callback): void {
    const refuse = (why: string): void => {
      const error = { code: "STORE_UNAVAILABLE", message: `The database ${why}.`, hint: "Try again in a moment." };
      queueMicrotask(() => callback({ error }));
    };
    if (this.#closing) return refuse("is closed");
    if (this.#waiting.size >= this.#maxWaiting) return refuse(`has ${this.#waiting.size} calls waiting`);
    const call: Call = { id: this.#nextId++, name, argument };
    this.#waiting.set(call.id, callback);
    const worker = (this.#worker ??= this.#start());
    // Nothing else may keep the process alive until the answer is there.
    worker.ref();
    worker.postMessage(call);
  }

  close(): Promise<void> {
    return (this.#closing ??= new Promise((resolve) => {
      const worker = this.#worker;
      if (!worker) return resolve();
      worker.ref();
      worker.once("exit", () => {
        putBack(this.#options.path);
        resolve();
      });
      worker.postMessage("close");
    }));
  }

  #start(): Worker {
    const { entry, data, deathCode } = this.#options;
    const worker = startWorker(entry, data());
    let death = "its thread ended";
    worker.on("message", (answer: Answer) => this.#take(answer));
    worker.on("error", (error) => (death = sentenceOf(error)));
    worker.on("exit", () => {
      this.#worker = undefined;
      const left = [...this.#waiting.values()];
      this.#waiting.clear();
      const error = { code: deathCode, message: `The database failed: ${death}.`, hint: "" };
      for (const callback of left) callback({ error });
    });
    worker.unref();
    return worker;
  }

  #take(answer: Answer): void {
    if (!("id" in answer)) {
      this.#failure = answer.failure;
      this.#options.onFailure?.(answer.failure);
      return;
    }
    const callback = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0 && !this.#closing) this.#worker?.unref();
    callback?.(answer as Reply<never>);
  }
}
