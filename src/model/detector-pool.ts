// A detector off the main thread: one worker with all cores, or several with one thread each, behind one interface.
import { MultiboxError } from "../errors.ts";
import type { Picture } from "./detection.ts";
import type { BatchResult, Detector, DetectorInfo } from "./detector.ts";
import { prepareProcess } from "./engines/prepare.ts";
import { bearsTermination, foreseenEngine, isOnGpu, type NamedEngine } from "./engines/open.ts";
import {
  closedError,
  DetectorThread,
  type ReadyReply,
  type ThreadCall,
  type ThreadOptions,
} from "./detector-thread.ts";
import type { CompiledModel, WorkerReply, WorkerRequest, WorkerSetup } from "./detector-worker.ts";

export interface PoolOptions extends Omit<WorkerSetup, "threads"> {
  /** 0: one worker whose session has all cores. N: N workers whose sessions have one thread each. */
  readonly workers: number;
  /** A batch that takes longer fails, and its worker is replaced; never when absent. */
  readonly timeoutMs?: number;
  /** A worker died or hangs, and is replaced; its batch has failed. */
  readonly onDeath?: (error: MultiboxError) => void;
  /** What a worker runs; for tests of what it can do wrong. */
  readonly entry?: URL;
}

/** Opens the model in its workers and waits until each is ready. Fails as reading the bundle or opening the engine does. */
export async function openDetector(options: PoolOptions): Promise<Detector> {
  const { workers, timeoutMs, onDeath, entry, ...rest } = options;
  const setup: WorkerSetup = { ...rest, threads: workers === 0 ? 0 : 1 };
  await prepareProcess(setup.engine, setup);
  const pool = new DetectorPool(setup, Math.max(1, workers), { timeoutMs, onDeath, entry });
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
  readonly #options: Pick<PoolOptions, "timeoutMs" | "onDeath" | "entry">;
  readonly #threads = new Set<DetectorThread>();
  /** They hang, were given up, and are not gone yet. */
  readonly #hung = new Set<DetectorThread>();
  /** Somebody waits until those are gone. */
  #outwaiting = false;
  readonly #idle: DetectorThread[] = [];
  readonly #line: ThreadCall[] = [];
  #info: DetectorInfo | undefined;
  #closing: Promise<void> | undefined;

  constructor(setup: WorkerSetup, slots: number, options: Pick<PoolOptions, "timeoutMs" | "onDeath" | "entry">) {
    this.#setup = setup;
    this.#options = options;
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
    // Where there is nothing to choose, all open the model at once, and the start is as short as that of one. Otherwise one chooses
    // for all: engines that are timed at the same time would each be timed wrong.
    const foreseen = await foreseenEngine(this.#setup.engine, this.#setup);
    const atOnce = foreseen ? this.#slots : 1;
    const [first] = await this.#startThreads(atOnce, foreseen);
    const { info, engine } = first!;
    this.#setup = { ...this.#setup, engine };
    // A GPU has no use for two threads that wait for it, and WebGPU dies of them.
    if (isOnGpu(engine)) this.#slots = 1;
    await this.#startThreads(this.#slots - atOnce, engine);
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
    await Promise.all([...this.#threads, ...this.#hung].map((thread) => thread.close()));
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

  /** For onnx:cpu one of them reads and compiles the model for all, which is most of what a start costs. */
  #startThreads(count: number, engine: NamedEngine | undefined): Promise<ReadyReply[]> {
    if (engine !== "onnx:cpu" || count < 2)
      return Promise.all(Array.from({ length: count }, () => this.#startThread({})));
    let onCompiled!: (compiled: CompiledModel) => void;
    const compiled = new Promise<CompiledModel>((resolve) => (onCompiled = resolve));
    const further = Array.from({ length: count - 1 }, () => this.#startThread({ compiled }));
    return Promise.all([this.#startThread({ onCompiled }), ...further]);
  }

  async #startThread(sharing: Pick<ThreadOptions, "compiled" | "onCompiled">): Promise<ReadyReply> {
    let opened = false;
    const { timeoutMs, entry } = this.#options;
    const onLost = (error: MultiboxError): void => {
      this.#threads.delete(thread);
      if (this.#idle.includes(thread)) this.#idle.splice(this.#idle.indexOf(thread), 1);
      // One that never opened the model is not replaced: the next would end as it did.
      if (this.#closing || !opened) return;
      if (error.code === "ENGINE_TIMEOUT") this.#abandon(thread);
      this.#options.onDeath?.(error);
      void this.#replaceThread();
    };
    const thread = new DetectorThread({ setup: this.#setup, timeoutMs, entry, onLost, ...sharing });
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

  #abandon(thread: DetectorThread): void {
    this.#hung.add(thread);
    void thread.gone.then(() => this.#hung.delete(thread));
    thread.abandon(bearsTermination(this.#setup.engine));
  }

  async #replaceThread(): Promise<void> {
    try {
      if (isOnGpu(this.#setup.engine) && this.#hung.size > 0) {
        // Two threads on one GPU would crash the process. Until the first is gone, nobody waits for what may never be.
        for (const { reject } of this.#line.splice(0)) reject(hungError());
        if (this.#outwaiting) return;
        this.#outwaiting = true;
        await Promise.all([...this.#hung].map(({ gone }) => gone));
        this.#outwaiting = false;
      }
      if (!this.#closing && this.#threads.size < this.#slots) await this.#startThread({});
    } catch (error) {
      // It cannot start again (the model was deleted, say): without any thread, whoever waits must not wait for ever.
      if (this.#threads.size > 0) return;
      for (const { reject } of this.#line.splice(0)) reject(error as MultiboxError);
    }
  }
}

function hungError(): MultiboxError {
  const sentence = "The network hangs on the GPU, and no other can be started there before it is done.";
  return new MultiboxError("ENGINE_TIMEOUT", sentence, "If that lasts, start the server again.");
}
