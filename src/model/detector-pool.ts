// A detector off the main thread: one worker with all cores, or several with one thread each, behind one interface.
import type { MultiboxError } from "../errors.ts";
import type { Picture } from "./detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "./detector.ts";
import { prepareProcess } from "./engines/prepare.ts";
import { isOnGpu } from "./engines/open.ts";
import { closedError, DetectorThread, type ReadyReply, type ThreadCall } from "./detector-thread.ts";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./detector-worker.ts";

export interface PoolOptions extends Omit<WorkerSetup, "threads"> {
  /** 0: one worker whose session has all cores. N: N workers whose sessions have one thread each. */
  readonly workers: number;
  /** A worker died and is replaced; its batch has failed. */
  readonly onDeath?: (error: MultiboxError) => void;
}

/** Opens the model in its workers and waits until each is ready. Fails as reading the bundle or opening the engine does. */
export async function openDetector({ workers, onDeath, ...options }: PoolOptions): Promise<Detector> {
  const setup: WorkerSetup = { ...options, threads: workers === 0 ? 0 : 1 };
  await prepareProcess(setup.engine, setup);
  const pool = new DetectorPool(setup, Math.max(1, workers), onDeath);
  try {
    await pool.start();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

class DetectorPool implements Detector {
  readonly maxBatch: number;
  #slots: number;
  #setup: WorkerSetup;
  readonly #onDeath: ((error: MultiboxError) => void) | undefined;
  readonly #threads = new Set<DetectorThread>();
  readonly #idle: DetectorThread[] = [];
  readonly #line: ThreadCall[] = [];
  #info: DetectorInfo | undefined;
  #closing: Promise<void> | undefined;

  constructor(setup: WorkerSetup, slots: number, onDeath: ((error: MultiboxError) => void) | undefined) {
    this.#setup = setup;
    this.#onDeath = onDeath;
    this.#slots = slots;
    this.maxBatch = setup.maxBatch;
  }

  get info(): DetectorInfo {
    return this.#info!;
  }

  get slots(): number {
    return this.#slots;
  }

  async start(): Promise<void> {
    const { info, engine } = await this.#startThread();
    // One choice for all: engines that are timed at the same time would each be timed wrong.
    this.#setup = { ...this.#setup, engine };
    // A GPU has no use for two threads that wait for it, and WebGPU dies of them.
    if (isOnGpu(engine)) this.#slots = 1;
    await Promise.all(Array.from({ length: this.#slots - 1 }, () => this.#startThread()));
    this.#info = this.#slots === 1 ? info : { ...info, engine: `${info.engine} in each of ${this.#slots} workers` };
  }

  async detect(pictures: readonly Picture[]): Promise<BatchResult> {
    const reply = await this.#call({ type: "detect", pictures });
    if (reply.type !== "result") throw new Error(`A detector thread answered ${reply.type}.`);
    return reply.result;
  }

  async warmUp(): Promise<void> {
    // As many calls as threads, which are all idle: each gets one.
    await Promise.all(Array.from({ length: this.#slots }, () => this.#call({ type: "warm-up" })));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { reject } of this.#line.splice(0)) reject(closedError());
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #call(request: WorkerRequest): Promise<WorkerReply> {
    if (this.#closing) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#line.push({ request, resolve, reject });
      // None is left when the last one could not be replaced; what was in its way may be gone by now.
      if (this.#threads.size === 0) void this.#replaceThread();
      else this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#line.length > 0 && this.#idle.length > 0) this.#idle.shift()!.send(this.#line.shift()!);
  }

  async #startThread(): Promise<ReadyReply> {
    let opened = false;
    const thread = new DetectorThread(this.#setup, (error) => {
      this.#threads.delete(thread);
      if (this.#idle.includes(thread)) this.#idle.splice(this.#idle.indexOf(thread), 1);
      // One that never opened the model is not replaced: the next would end as it did.
      if (this.#closing || !opened) return;
      this.#onDeath?.(error);
      void this.#replaceThread();
    });
    this.#threads.add(thread);
    const ready = await thread.ready.catch(async (error: unknown) => {
      await thread.close();
      throw error;
    });
    opened = true;
    thread.onIdle = () => {
      this.#idle.push(thread);
      this.#dispatch();
    };
    thread.onIdle();
    return ready;
  }

  async #replaceThread(): Promise<void> {
    try {
      await this.#startThread();
    } catch (error) {
      // It cannot start again (the model was deleted, say): without any thread, whoever waits must not wait for ever.
      if (this.#threads.size > 0) return;
      for (const { reject } of this.#line.splice(0)) reject(error as MultiboxError);
    }
  }
}
