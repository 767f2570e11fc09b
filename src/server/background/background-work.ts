// Work that a server takes on and does in the background: made, queued, run, broken off, kept for a while, and told of.
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { interval, type Observable, Subject, Subscription } from "rxjs";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { writeFailure } from "../../whole-file.ts";
import { errorBody } from "../api/problem.ts";
import { DataFolder } from "../data-folders.ts";
import { KeyedLock } from "../keyed-lock.ts";
import { newId, overdue } from "./overdue.ts";
import { INCOMING, setAside } from "./strangers.ts";
import { BackgroundQueue } from "./background-queue.ts";
import type { JobState } from "../jobs/job-schemas.ts";
import type { WorkKind, WorkOptions, WorkRecord } from "./work-kind.ts";

const SWEEP_MS = 3_600_000;
const SAVE_AGAIN_MS = 5000;
/** The key under which sweeps run one after the other; no id of a work. */
const SWEEP = "sweep";
const isOver = ({ state }: Pick<WorkRecord, "state">): boolean => state !== "queued" && state !== "running";

export class BackgroundWork<R extends WorkRecord, P, I, E> {
  /** Holds a folder for each work. */
  readonly place: DataFolder;
  readonly #options: WorkOptions;
  readonly #kind: WorkKind<R, P, I, E>;
  /** In the order in which they were made. */
  readonly #records = new Map<string, R>();
  readonly #progress = new Map<string, P>();
  readonly #cancelled = new Set<string>();
  readonly #events = new Subject<E>();
  readonly #queue: BackgroundQueue;
  /** One change of a work at a time. */
  readonly #locks = new KeyedLock();
  #arriving = 0;
  /** When the newest was made. */
  #newest = -1;
  #sweeping: Subscription | undefined;
  readonly #retries = new Subscription();

  constructor(options: WorkOptions, kind: WorkKind<R, P, I, E>) {
    this.#options = options;
    this.#kind = kind;
    this.place = new DataFolder(options.folder, options.root);
    this.#queue = new BackgroundQueue({
      width: options.limits.maxRunning,
      run: (id, signal) => this.#work(id, signal),
    });
  }

  /** Every change of a work, and how far it is about once a second. */
  get events(): Observable<E> {
    return this.#events;
  }

  /**
   * Reads what there is, and queues what had not ended. What a server that was killed had not received whole is removed. Any other folder
   * without a record may hold results whose database was lost, so it goes into the quarantine.
   */
  async load(): Promise<void> {
    const { folder, logger, quarantine } = this.#options;
    const { store, input } = this.#kind;
    for (const record of await store.load((sentence) => logger.warn(sentence))) this.#records.set(record.id, record);
    const known = new Set(await store.ids());
    const names = existsSync(folder) ? await readdir(folder) : [];
    await setAside(
      folder,
      names.filter((name) => !known.has(name)),
      quarantine,
    );
    for (const record of this.#records.values()) {
      this.#newest = Math.max(this.#newest, record.created);
      await rm(join(this.folderOf(record.id), INCOMING), { force: true });
      if (isOver(record) && !this.#isResumable(record))
        await rm(join(this.folderOf(record.id), input), { recursive: true, force: true });
    }
    await this.#sweep();
    this.#queueAgain();
  }

  /** From now on things are done. */
  open(): void {
    this.#queue.open();
    this.#sweeping = interval(SWEEP_MS, this.#options.clock).subscribe(() => void this.#sweep());
  }

  /** Newest first. */
  list({ state }: { readonly state?: JobState | undefined } = {}): I[] {
    const records = [...this.#records.values()].filter((record) => state === undefined || record.state === state);
    return records.reverse().map((record) => this.#info(record));
  }

  /** Fails with what the kind says of one that there is not; so do all that take an id. */
  get(id: string): I {
    return this.#info(this.record(id));
  }

  record(id: string): R {
    const record = this.#records.get(id);
    if (record) return record;
    throw this.#kind.unknown(id);
  }

  folderOf(id: string): string {
    return join(this.#options.folder, id);
  }

  /** Resolves when it has ended; one that has ended before stays as it is. Fails with STORE_UNAVAILABLE where that cannot be stored. */
  cancel(id: string): Promise<I> {
    return this.#locks.run(id, async () => {
      await this.#cancel(id);
      return this.get(id);
    });
  }

  /** With what it has left; broken off where it has not ended. Fails as `cancel` does. */
  remove(id: string): Promise<void> {
    return this.#locks.run(id, async () => {
      this.record(id);
      await this.place.require();
      await this.#cancel(id);
      await this.#kind.store.delete(id);
      this.#records.delete(id);
      await rm(this.folderOf(id), { recursive: true, force: true });
      this.#events.next(this.#kind.event(id));
    });
  }

  /** Breaks off what runs, to be gone on with by the next server. */
  async close(): Promise<void> {
    this.#sweeping?.unsubscribe();
    await this.#queue.close();
    await this.#locks.idle();
    this.#retries.unsubscribe();
    this.#events.complete();
  }

  /**
   * Makes a work of what `receive` puts into the folder that it is given; the oldest finished ones give way to it once it is stored. Fails
   * as the kind says where there are too many, with FOLDER_UNAVAILABLE, DISK_FULL, NOT_WRITABLE, STORE_UNAVAILABLE, or as `receive` does; then nothing is
   * left of it, and nothing else is deleted.
   */
  protected async take(receive: (folder: string, base: WorkRecord) => Promise<R>): Promise<I> {
    this.#requireRoom();
    // Ids are in the order of their making also where the clock is set back.
    const created = Math.max(this.#options.clock.now(), this.#newest + 1);
    this.#newest = created;
    const id = newId(created);
    const folder = this.folderOf(id);
    this.#arriving += 1;
    try {
      const record = await this.place.write(async () => {
        await mkdir(folder, { mode: 0o700 });
        await mkdir(join(folder, this.#kind.input), { mode: 0o700 });
        await writeFile(join(folder, INCOMING), "", { mode: 0o600 });
        return await receive(folder, { id, state: "queued", created });
      });
      // Others may have been resumed meanwhile.
      this.#requireRoom(0);
      await this.#kind.store.put(record);
      this.#records.set(id, record);
      await rm(join(folder, INCOMING), { force: true }).catch(() => undefined);
    } catch (cause) {
      await this.#delete(folder);
      throw writeFailure(cause, folder);
    } finally {
      this.#arriving -= 1;
    }
    this.#tell(id);
    this.#queue.add(id);
    const info = this.get(id);
    await this.#sweep();
    return info;
  }

  /** Goes on with one that has failed, from what it has left; what waits or runs does so anyway. `refusal`: of all others. */
  protected goOn(id: string, refusal: (record: R) => MultiboxError): Promise<I> {
    return this.#locks.run(id, async () => {
      // One that has just failed may still be in its last steps.
      if (isOver(this.record(id))) await this.#queue.ended(id);
      const record = this.record(id);
      if (isOver(record)) {
        if (!this.#isResumable(record)) throw refusal(record);
        await this.place.require();
        const queued = { ...record, state: "queued" as const, error: undefined, ended: undefined };
        await this.#kind.store.put(queued);
        this.#records.set(id, queued);
        this.#tell(id);
        this.#queue.add(id);
      }
      return this.get(id);
    });
  }

  /** Those first that ran when the last server ended, then those that waited. */
  #queueAgain(): void {
    const waiting = [...this.#records.values()].filter((record) => !isOver(record));
    const wasRunning = (record: R): number => (record.state === "running" ? 0 : 1);
    for (const record of waiting.sort((a, b) => wasRunning(a) - wasRunning(b))) {
      this.#records.set(record.id, { ...record, state: "queued" });
      this.#queue.add(record.id);
    }
  }

  async #cancel(id: string): Promise<void> {
    if (isOver(this.record(id))) return;
    this.#cancelled.add(id);
    await this.#queue.cancel(id);
    const record = this.#records.get(id);
    if (record && !isOver(record)) await this.#end(id, { state: "cancelled" });
    this.#cancelled.delete(id);
    // What is acknowledged is stored, too.
    await this.#kind.store.put(this.record(id));
  }

  async #work(id: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const { name, run, fields } = this.#kind;
    if (this.#isPutOff(id)) return;
    const base: Partial<WorkRecord> = { state: "running", started: this.record(id).started ?? clock.now() };
    const record = this.#change(id, base as Partial<R>);
    logger.info({ [name]: id, ...fields(record) }, `a ${name} runs`);
    const onProgress = (progress: P): void => {
      this.#progress.set(id, progress);
      this.#tell(id);
    };
    const onChange = (change: Partial<R>): void => void this.#change(id, change);
    try {
      const outcome = await run({ record, folder: this.folderOf(id), signal, onProgress, onChange });
      await this.#end(id, { state: "done", ...outcome });
    } catch (error) {
      if (this.#cancelled.has(id)) await this.#end(id, { state: "cancelled" });
      else if (signal.aborted) this.#progress.delete(id);
      else if (error instanceof MultiboxError && error.code === "INTERRUPTED") {
        // Somebody else's signal: a Ctrl-C reaches the child as well as us, and perhaps first.
        this.#change(id, { state: "queued" } as Partial<R>);
        this.#queue.add(id);
      } else {
        if (!(error instanceof MultiboxError)) logger.error({ err: error, [name]: id }, `a ${name} failed`);
        await this.#end(id, { state: "failed", error: errorBody(error) });
      }
    }
  }

  async #end(id: string, end: Partial<WorkRecord> & Pick<WorkRecord, "state">): Promise<void> {
    const { name, finish, fields, input } = this.#kind;
    const folder = this.folderOf(id);
    const ended = { ended: this.#options.clock.now() };
    let keep = false;
    try {
      // Without its folder nothing is known of what there was.
      if (end.state !== "cancelled") await this.place.require();
      const finished = await finish({ ...this.record(id), ...end }, folder);
      ({ keep } = finished);
      this.#change(id, { ...end, ...finished.change, ...ended });
    } catch (error) {
      this.#change(id, { state: "failed", error: errorBody(error), ...ended } as Partial<R>);
    }
    const record = this.record(id);
    const gone = keep ? join(folder, input) : folder;
    if (!this.#isResumable(record)) await this.#delete(gone);
    const { state, error } = record;
    this.#options.logger.info({ [name]: id, ...fields(record), state, code: error?.code }, `a ${name} is ${state}`);
    // Not waited for: it may delete this very one, whose end somebody waits for.
    void this.#sweep();
  }

  /** One that has no folder now waits until that is there again; one that was cancelled or deleted while it waited does not run. */
  #isPutOff(id: string): boolean {
    if (!this.place.failure) return this.#records.get(id)?.state !== "queued";
    const again = (): void => void (this.#records.get(id)?.state === "queued" && this.#queue.add(id));
    this.#retries.add(this.#options.clock.schedule(again, SAVE_AGAIN_MS));
    return true;
  }

  /** Not in a folder that took the place of ours. */
  async #delete(path: string): Promise<void> {
    if (!(await this.place.check())) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }

  #isResumable({ state }: WorkRecord): boolean {
    return this.#kind.resumable && state === "failed";
  }

  #change(id: string, change: Partial<R>): R {
    const record = { ...this.record(id), ...change };
    this.#records.set(id, record);
    if (record.state !== "running") this.#progress.delete(id);
    void this.#save(record);
    this.#tell(id);
    return record;
  }

  /** A change that nobody waits for. Where it cannot be stored it is tried again until it is, or another one took its place. */
  async #save(record: R, hasFailed = false): Promise<void> {
    const { id } = record;
    try {
      await this.#kind.store.put(record);
    } catch (error) {
      const { name } = this.#kind;
      if (!hasFailed)
        this.#options.logger.error({ [name]: id }, `the ${name} ${id} cannot be stored: ${sentenceOf(error)}`);
      const again = (): void => {
        if (this.#records.get(id) === record) void this.#save(record, true);
      };
      this.#retries.add(this.#options.clock.schedule(again, SAVE_AGAIN_MS));
    }
  }

  /** Those that have not ended cannot give way; those that have do once the new one is there. */
  #requireRoom(arriving = this.#arriving): void {
    const count = [...this.#records.values()].filter((record) => !isOver(record)).length + arriving;
    if (count >= this.#options.limits.maxCount) throw this.#kind.full(count);
  }

  /** Deletes those that ended long ago, and the oldest ones that ended where there are too many. */
  #sweep(): Promise<void> {
    return this.#locks.run(SWEEP, () => this.#sweepOnce());
  }

  async #sweepOnce(): Promise<void> {
    const { limits, retention, logger } = this.#options;
    const over = [...this.#records.values()].filter(isOver);
    for (const { id } of overdue(over, { count: this.#records.size, maxCount: limits.maxCount, retention }))
      await this.remove(id).catch((error: unknown) => logger.error({ [this.#kind.name]: id }, sentenceOf(error)));
  }

  #tell(id: string): void {
    this.#events.next(this.#kind.event(id, this.get(id)));
  }

  #info(record: R): I {
    return this.#kind.info(record, this.#progress.get(record.id));
  }
}
