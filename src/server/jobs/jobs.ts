// All annotation jobs: made, queued, run, broken off, kept for a while, and told of.
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { interval, type Observable, type SchedulerLike, Subject, type Subscription } from "rxjs";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { writeFailure } from "../../whole-file.ts";
import { errorBody } from "../problem.ts";
import type { JobEvent } from "../protocol.ts";
import type { Store } from "../store.ts";
import { isoTime } from "../streams.ts";
import { BackgroundQueue } from "./background-queue.ts";
import type { JobInfo, JobProgress, JobState } from "./job-schemas.ts";
import { keepResults } from "./job-results.ts";
import { type JobRecord, JobStore } from "./job-store.ts";

export interface JobLimits {
  /** Most that run at once. */
  readonly maxRunning: number;
  /** Most that there are, finished ones and those that are being uploaded among them. */
  readonly maxCount: number;
  /** Finished ones are deleted after so many milliseconds. */
  readonly maxAgeMs: number;
}

/** What is known of a job when its video is there. */
export type NewRecord = Pick<JobRecord, "video" | "path" | "options" | "settings" | "framesExpected">;

export interface JobWork {
  readonly record: JobRecord;
  readonly folder: string;
  /** Ends it soon: what is done is kept, and the same job can be run again. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: JobProgress) => void;
}

export type JobRunner = (work: JobWork) => Promise<Pick<JobRecord, "frames" | "detections" | "warnings">>;

export interface JobsOptions {
  readonly store: Store;
  /** `jobs` in the data folder: one folder a job. */
  readonly folder: string;
  readonly limits: JobLimits;
  readonly run: JobRunner;
  readonly logger: Logger;
  readonly clock: SchedulerLike;
}

const SWEEP_MS = 3_600_000;
/** In a job's folder. */
export const UPLOAD = "upload";
const isOver = ({ state }: Pick<JobRecord, "state">): boolean => state !== "queued" && state !== "running";

export class Jobs {
  readonly #options: JobsOptions;
  readonly #store: JobStore;
  /** In the order in which they were made. */
  readonly #records = new Map<string, JobRecord>();
  readonly #progress = new Map<string, JobProgress>();
  readonly #cancelled = new Set<string>();
  readonly #events = new Subject<JobEvent>();
  readonly #queue: BackgroundQueue;
  #arriving = 0;
  /** When the newest was made. */
  #newest = -1;
  #sweeping: Subscription | undefined;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#store = new JobStore(options.store);
    this.#queue = new BackgroundQueue({
      width: options.limits.maxRunning,
      run: (id, signal) => this.#work(id, signal),
    });
  }

  /** Every change of a job, and how far it is about once a second. */
  get events(): Observable<JobEvent> {
    return this.#events;
  }

  /** Reads those that there are, and queues what had not ended; what a server that was killed has left behind without a job is removed. */
  async load(): Promise<void> {
    const { folder, logger } = this.#options;
    for (const record of this.#store.load((sentence) => logger.warn(sentence))) this.#records.set(record.id, record);
    const known = new Set(this.#store.ids());
    const names = existsSync(folder) ? await readdir(folder) : [];
    for (const name of names.filter((one) => !known.has(one)))
      await rm(join(folder, name), { recursive: true, force: true });
    for (const { id, created, ...record } of this.#records.values()) {
      this.#newest = Math.max(this.#newest, created);
      if (isOver(record)) await rm(join(this.folderOf(id), UPLOAD), { recursive: true, force: true });
    }
    await this.#sweep();
    this.#queueAgain();
  }

  /** From now on jobs run. */
  open(): void {
    this.#queue.open();
    this.#sweeping = interval(SWEEP_MS, this.#options.clock).subscribe(() => void this.#sweep());
  }

  /** Those first that ran when the last server ended, then those that waited. */
  #queueAgain(): void {
    const waiting = [...this.#records.values()].filter((record) => !isOver(record));
    const wasRunning = (record: JobRecord): number => (record.state === "running" ? 0 : 1);
    for (const record of waiting.sort((a, b) => wasRunning(a) - wasRunning(b))) {
      this.#records.set(record.id, { ...record, state: "queued" });
      this.#queue.add(record.id);
    }
  }

  /**
   * Makes a job of what `receive` puts into the folder that it is given. Fails with JOBS_FULL, DISK_FULL, NOT_WRITABLE, or as `receive`
   * does; then nothing is left.
   */
  async create(receive: (folder: string) => Promise<NewRecord>): Promise<JobInfo> {
    await this.#makeRoom();
    // Ids are in the order of their making also where the clock is set back.
    const created = Math.max(this.#options.clock.now(), this.#newest + 1);
    this.#newest = created;
    const id = `${isoTime(created).replaceAll(/[-:.Z]/g, "")}-${randomInt(36 ** 4)
      .toString(36)
      .padStart(4, "0")}`;
    const folder = this.folderOf(id);
    this.#arriving += 1;
    try {
      await mkdir(join(folder, UPLOAD), { recursive: true, mode: 0o700 });
      const record: JobRecord = { id, state: "queued", created, results: [], ...(await receive(folder)) };
      this.#store.put(record);
      this.#records.set(id, record);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      throw writeFailure(cause, folder);
    } finally {
      this.#arriving -= 1;
    }
    this.#tell(id);
    this.#queue.add(id);
    return this.get(id);
  }

  /** Newest first. */
  list({ state }: { readonly state?: JobState | undefined } = {}): JobInfo[] {
    const records = [...this.#records.values()].filter((record) => state === undefined || record.state === state);
    return records.reverse().map((record) => this.#info(record));
  }

  /** JOB_UNKNOWN when there is none. */
  get(id: string): JobInfo {
    return this.#info(this.#record(id));
  }

  folderOf(id: string): string {
    return join(this.#options.folder, id);
  }

  /** Resolves when it has ended; one that has ended before stays as it is. JOB_UNKNOWN. */
  async cancel(id: string): Promise<JobInfo> {
    if (!isOver(this.#record(id))) {
      this.#cancelled.add(id);
      await this.#queue.cancel(id);
      const record = this.#records.get(id);
      if (record && !isOver(record)) await this.#end(record, { state: "cancelled" });
      this.#cancelled.delete(id);
    }
    return this.get(id);
  }

  /** With its results; broken off where it has not ended. JOB_UNKNOWN. */
  async remove(id: string): Promise<void> {
    await this.cancel(id);
    this.#store.delete(id);
    this.#records.delete(id);
    await rm(this.folderOf(id), { recursive: true, force: true });
    this.#events.next({ type: "job", id });
  }

  /** Breaks off what runs, to be gone on with by the next server. */
  async close(): Promise<void> {
    this.#sweeping?.unsubscribe();
    await this.#queue.close();
    this.#events.complete();
  }

  async #work(id: string, signal: AbortSignal): Promise<void> {
    const { run, clock, logger } = this.#options;
    const record = this.#change(id, { state: "running", started: this.#record(id).started ?? clock.now() });
    logger.info({ job: id, video: record.video }, "a job runs");
    const onProgress = (progress: JobProgress): void => {
      this.#progress.set(id, progress);
      this.#tell(id);
    };
    try {
      const outcome = await run({ record, folder: this.folderOf(id), signal, onProgress });
      await this.#end(record, { state: "done", ...outcome });
    } catch (error) {
      if (this.#cancelled.has(id)) await this.#end(record, { state: "cancelled" });
      else if (signal.aborted) this.#progress.delete(id);
      else if (error instanceof MultiboxError && error.code === "INTERRUPTED") {
        // Somebody else's signal: a Ctrl-C reaches the child as well as us, and perhaps first.
        this.#change(id, { state: "queued" });
        this.#queue.add(id);
      } else {
        if (!(error instanceof MultiboxError)) logger.error({ err: error, job: id }, "a job failed");
        await this.#end(record, { state: "failed", error: errorBody(error) });
      }
    }
  }

  /** Of the folder only what can be downloaded stays. */
  async #end(record: JobRecord, change: Partial<JobRecord> & Pick<JobRecord, "state">): Promise<void> {
    const { id } = record;
    const folder = this.folderOf(id);
    try {
      const results = change.state === "cancelled" ? [] : await keepResults(folder, record);
      this.#change(id, { ...change, results, ended: this.#options.clock.now() });
    } catch (error) {
      this.#change(id, { state: "failed", error: errorBody(error), results: [], ended: this.#options.clock.now() });
    }
    const ended = this.#record(id);
    if (ended.results.length === 0) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    else await rm(join(folder, UPLOAD), { recursive: true, force: true }).catch(() => undefined);
    const fields = { job: id, video: record.video, state: ended.state, code: ended.error?.code };
    this.#options.logger.info(fields, `a job is ${ended.state}`);
    await this.#sweep();
  }

  #change(id: string, change: Partial<JobRecord>): JobRecord {
    const record = { ...this.#record(id), ...change };
    this.#records.set(id, record);
    if (record.state !== "running") this.#progress.delete(id);
    try {
      this.#store.put(record);
    } catch (error) {
      // It goes on; after a restart it would be done again.
      this.#options.logger.error({ job: id }, `the job ${id} cannot be kept: ${sentenceOf(error)}`);
    }
    this.#tell(id);
    return record;
  }

  async #makeRoom(): Promise<void> {
    const { maxCount } = this.#options.limits;
    await this.#sweep(1);
    const count = this.#records.size + this.#arriving;
    if (count < maxCount) return;
    const sentence = `There are ${count} jobs, none of them finished, and no more are taken.`;
    throw new MultiboxError("JOBS_FULL", sentence, "Wait, cancel some, or raise jobMaxCount.");
  }

  /** Deletes those that ended long ago, and the oldest ones that ended where there would be too many. */
  async #sweep(wanted = 0): Promise<void> {
    const { limits, clock, logger } = this.#options;
    const over = [...this.#records.values()].filter(isOver).sort((a, b) => (a.ended ?? 0) - (b.ended ?? 0));
    let excess = this.#records.size + this.#arriving + wanted - limits.maxCount;
    for (const { id, ended = 0 } of over) {
      if (excess <= 0 && ended + limits.maxAgeMs >= clock.now()) continue;
      excess -= 1;
      await this.remove(id).catch((error: unknown) => logger.error({ job: id }, sentenceOf(error)));
    }
  }

  #record(id: string): JobRecord {
    const record = this.#records.get(id);
    if (record) return record;
    throw new MultiboxError("JOB_UNKNOWN", `There is no job "${id}".`, "GET /v1/jobs lists those that there are.");
  }

  #tell(id: string): void {
    this.#events.next({ type: "job", id, job: this.get(id) });
  }

  #info(record: JobRecord): JobInfo {
    const { settings: _settings, framesExpected, created, started, ended, ...told } = record;
    const known = this.#progress.get(record.id) ?? { phase: "starting", frames: 0 };
    const progress = { ...known, ...(framesExpected !== undefined && { framesExpected }) };
    return {
      ...told,
      created: isoTime(created),
      ...(started !== undefined && { started: isoTime(started) }),
      ...(ended !== undefined && { ended: isoTime(ended) }),
      ...(record.state === "running" && { progress }),
    };
  }
}
