// The history on the side of the pipeline: detected frames wait here, bounded, until the thread has them on disk, and can be read meanwhile.
import type { Logger } from "pino";
import { asyncScheduler, type SchedulerLike, type Subscription } from "rxjs";
import { MultiboxError } from "../../errors.ts";
import { callOf, callOpen } from "../database/database-thread.ts";
import type { FrameRecord } from "./frame-record.ts";
import type { HistoryPort } from "./history-port.ts";
import type { Count, FindQuery, Found, StatsQuery } from "./history-query.ts";
import type { ErrorBody } from "../api/error-body.ts";

export interface HistoryStatus {
  readonly state: "off" | "recording" | "failing";
  /** Why nothing can be written. */
  readonly error?: ErrorBody | undefined;
  /** Frames since the start: on disk, waiting for it, and lost because too many were waiting. */
  readonly kept: number;
  readonly waiting: number;
  readonly lost: number;
}

export interface HistoryOptions {
  /** Absent: the history is off. */
  readonly port?: HistoryPort | undefined;
  readonly logger: Logger;
  readonly clock?: SchedulerLike;
  /** Most frames that wait; some 4 kB each at worst. */
  readonly maxWaiting?: number;
}

/** A commit costs about as much as thirty frames in it, and none should be long in coming to the disk. */
const BATCH = 256;
const BATCH_MS = 200;
const RETRY_MS = 5000;
const CLOSE_MS = 3000;

export class History {
  readonly #port: HistoryPort | undefined;
  readonly #logger: Logger;
  readonly #clock: SchedulerLike;
  readonly #maxWaiting: number;
  #queue: FrameRecord[] = [];
  /** On its way to the disk, or to be tried again. */
  #batch: readonly FrameRecord[] = [];
  #timer: Subscription | undefined;
  #error: ErrorBody | undefined;
  #kept = 0;
  #lost = 0;
  #onIdle: (() => void) | undefined;

  constructor({ port, logger, clock = asyncScheduler, maxWaiting = 8192 }: HistoryOptions) {
    this.#port = port;
    this.#logger = logger;
    this.#clock = clock;
    this.#maxWaiting = maxWaiting;
  }

  get isOn(): boolean {
    return this.#port !== undefined;
  }

  status(): HistoryStatus {
    const state = this.isOn ? (this.#error ? "failing" : "recording") : "off";
    const waiting = this.#queue.length + this.#batch.length;
    return { state, error: this.#error, kept: this.#kept, waiting, lost: this.#lost };
  }

  /** Opens its database. Fails with STORE_NEWER; any other failure is reported while frames are written, and can pass until then. */
  async open(): Promise<void> {
    if (!this.#port) return;
    try {
      await callOpen(this.#port);
    } catch (error) {
      if (error instanceof MultiboxError && error.code === "STORE_NEWER") throw error;
    }
  }

  /** Takes a frame in; never waits. The oldest of those that wait is lost when there are too many. */
  record(record: FrameRecord): void {
    if (!this.#port) return;
    this.#queue.push(record);
    if (this.#queue.length + this.#batch.length > this.#maxWaiting) {
      this.#queue.shift();
      this.#lost += 1;
    }
    if (this.#queue.length >= BATCH) this.#flush();
    else this.#flushIn(BATCH_MS);
  }

  /**
   * Calls back with the frames of a stream after that number, in order, at most `limit`, and whether they are all that there
   * are at that very moment: then the next frame that is detected is the next one of the stream.
   */
  read(stream: string, after: number, limit: number, callback: (records: FrameRecord[], isAll: boolean) => void): void {
    if (!this.#port) return callback([], true);
    this.#port.ask("read", { stream, after, limit }, (reply) => {
      const records = "value" in reply ? reply.value : [];
      // What was not on disk when the thread read is still here: its commit is answered after this.
      const waiting = records.length < limit ? this.#waiting(stream, records.at(-1)?.seq ?? after) : [];
      const all = [...records, ...waiting];
      callback(all.slice(0, limit), records.length < limit && all.length <= limit);
    });
  }

  /** Calls back with the number of the first frame after that one that there is, if any. */
  first(stream: string, after: number, callback: (seq: number | undefined) => void): void {
    if (!this.#port) return callback(undefined);
    this.#port.ask("first", { stream, after }, (reply) => {
      const kept = "value" in reply ? reply.value : undefined;
      callback(kept ?? this.#waiting(stream, after)[0]?.seq);
    });
  }

  /** Fails with HISTORY_OFF, or with what is wrong with the database. */
  async find(query: FindQuery): Promise<Found> {
    return callOf(this.#on(), "find", query);
  }

  /** Likewise. */
  async count(query: StatsQuery): Promise<Count[]> {
    return callOf(this.#on(), "stats", query);
  }

  /** Writes what waits, if that can be done within three seconds. */
  async close(): Promise<void> {
    if (!this.#port) return;
    // The timer also keeps the process alive: the port's thread does not.
    let patience: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      patience = setTimeout(resolve, CLOSE_MS);
      this.#flush();
    });
    clearTimeout(patience);
    this.#timer?.unsubscribe();
    await this.#port.close();
  }

  #flushIn(ms: number): void {
    if (this.#timer || this.#batch.length > 0) return;
    this.#timer = this.#clock.schedule(() => this.#flush(), ms);
  }

  #flush(): void {
    if (this.#batch.length > 0) return;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#batch = this.#queue.splice(0, BATCH);
    if (this.#batch.length > 0) this.#write();
    else this.#onIdle?.();
  }

  #write(): void {
    const records = this.#batch;
    this.#port?.ask("write", records, (reply) => {
      if ("error" in reply) {
        this.#fail(reply.error);
        return;
      }
      if (this.#error) this.#logger.info({ lost: this.#lost }, "the history is written again");
      this.#error = undefined;
      this.#kept += records.length;
      this.#batch = [];
      if (this.#queue.length >= BATCH || this.#onIdle) this.#flush();
      else if (this.#queue.length > 0) this.#flushIn(BATCH_MS);
    });
  }

  #fail(error: ErrorBody): void {
    if (!this.#error)
      this.#logger.error({ code: error.code }, `the history is not written: ${error.message} ${error.hint}`);
    this.#error = error;
    // Not the disk's fault, so it would fail again.
    if (error.code === "HISTORY_FAILED") {
      this.#lost += this.#batch.length;
      this.#batch = [];
      this.#flushIn(BATCH_MS);
      return;
    }
    this.#onIdle?.();
    this.#timer = this.#clock.schedule(() => {
      this.#timer = undefined;
      this.#write();
    }, RETRY_MS);
  }

  #waiting(stream: string, after: number): FrameRecord[] {
    return [...this.#batch, ...this.#queue].filter((record) => record.stream === stream && record.seq > after);
  }

  #on(): HistoryPort {
    if (this.#port) return this.#port;
    const hint = "Set historyHours to keep one.";
    throw new MultiboxError("HISTORY_OFF", "This server keeps no history.", hint);
  }
}
