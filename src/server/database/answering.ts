// What a database thread does with the calls that it gets: reads at once, writes one after the other, each all or nothing.
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { errorBody } from "../api/problem.ts";
import type { ErrorBody } from "../api/error-body.ts";
import { FileWatch } from "./file-watch.ts";
import { type Db, moveAside, numberOf, transact } from "./sqlite.ts";
import { damaged, isBusy, isPassing, storeError } from "./store-error.ts";

/** Functions of one argument that work on an open database, by name. They are synchronous. */
export type Operations = Readonly<Record<string, (argument: never) => unknown>>;

export interface OpenedDatabase<O extends Operations = Operations> {
  readonly db: Db;
  readonly reads: Partial<O>;
  /** Each runs within a transaction of its own. */
  readonly writes: Partial<O>;
  /** A slice of work between calls, every few seconds; whether there is more of it. */
  readonly tidy?: () => boolean;
  /** A write was undone. */
  readonly onUndone?: () => void;
  /** What is wrong with the file, read again from the disk; undefined while nothing is. Asked when anybody has written to the file. */
  readonly verify?: () => string | undefined;
  /** `isDamaged`: nothing more is written into it, so that what is left can still be recovered. */
  close(isDamaged: boolean): void;
}

/** How a database is opened in its thread. Both files of it are watched. */
export interface DatabaseSpec {
  readonly path: string;
  /** Throws as SQLite does, or a MultiboxError. */
  readonly open: () => OpenedDatabase;
}

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorBody }
  /** What keeps changes from being stored, or that nothing does any more. */
  | { readonly failure: ErrorBody | undefined };

export interface AnsweringOptions {
  /** How long a call waits for a lock of another process before it fails with STORE_UNAVAILABLE. */
  readonly maxWaitMs?: number;
  /** The code of what is not the file's fault. */
  readonly bugCode: string;
}

/** Opens the database, which opens nothing by itself. */
export const OPEN = "open";

const MAX_WAIT_MS = 10_000;
const RETRY_MS = 20;
const TIDY_MS = 5000;
const WATCH_MS = 1000;

/** Answers in any order; writes are done in the order in which they came. A lock is waited for without blocking reads. */
export class Answering {
  readonly #spec: DatabaseSpec;
  readonly #send: (answer: Answer) => void;
  readonly #maxWaitMs: number;
  readonly #bugCode: string;
  #opened: OpenedDatabase | undefined;
  #watch: FileWatch | undefined;
  /** Found while it was open: nothing is written into a damaged file. */
  #damage: MultiboxError | undefined;
  #failure: ErrorBody | undefined;
  /** The last write, done or not. */
  #last: Promise<unknown> = Promise.resolve();
  #timers: NodeJS.Timeout[] = [];

  constructor(spec: DatabaseSpec, send: (answer: Answer) => void, options: AnsweringOptions) {
    this.#spec = spec;
    this.#send = send;
    this.#maxWaitMs = options.maxWaitMs ?? MAX_WAIT_MS;
    this.#bugCode = options.bugCode;
  }

  take({ id, name, argument }: Call): void {
    const until = performance.now() + this.#maxWaitMs;
    const answered = this.#isWrite(name)
      ? (this.#last = this.#last.then(() => this.#try(() => this.#write(name, argument), until)))
      : this.#try(() => this.#read(name, argument), until);
    void answered.then((result) => this.#send({ id, ...(result as { value: unknown } | { error: ErrorBody }) }));
  }

  /** Looks after the file, and tidies up, until it is closed. */
  start(): void {
    this.#timers.push(setInterval(() => this.#check(), WATCH_MS));
    this.#tidyIn(TIDY_MS);
  }

  /** After the writes that it was given. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    await this.#last;
    const failure = this.#opened ? this.#fault() : this.#failure;
    const isDamaged = failure?.code === "STORE_DAMAGED";
    if (isDamaged) moveAside(this.#spec.path);
    this.#opened?.close(isDamaged);
    this.#opened = undefined;
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Opens it where it is not open, so that a disk may come back meanwhile. */
  #open(): OpenedDatabase {
    if (this.#opened) return this.#opened;
    const opened = this.#spec.open();
    this.#watch = new FileWatch(this.#spec.path);
    this.#opened = opened;
    return opened;
  }

  /** Before it is open all calls are in order. */
  #isWrite(name: string): boolean {
    return !this.#opened || Object.hasOwn(this.#opened.writes, name);
  }

  #read(name: string, argument: unknown): unknown {
    const opened = this.#open();
    if (name === OPEN) return undefined;
    return Object.hasOwn(opened.writes, name)
      ? this.#write(name, argument)
      : operationOf(opened.reads, name)(argument as never);
  }

  #write(name: string, argument: unknown): unknown {
    const opened = this.#open();
    if (!Object.hasOwn(opened.writes, name)) return this.#read(name, argument);
    this.#requireWell();
    const run = operationOf(opened.writes, name);
    let value: unknown;
    try {
      value = transact(opened.db, () => run(argument as never));
    } catch (error) {
      opened.onUndone?.();
      throw error;
    }
    // What was written into a file that has no name any more is not kept.
    this.#requireWell();
    this.#tell(undefined);
    return value;
  }

  async #try(run: () => unknown, until: number): Promise<{ value: unknown } | { error: ErrorBody }> {
    for (;;) {
      try {
        return { value: run() };
      } catch (error) {
        if (!isBusy(error) || performance.now() >= until) return { error: this.#explain(error) };
        await sleep(RETRY_MS);
      }
    }
  }

  #explain(error: unknown): ErrorBody {
    // The whole path at the start, for the one who starts it; later messages reach clients.
    const name = this.#opened ? basename(this.#spec.path) : this.#spec.path;
    const explained = storeError(error, name);
    if (!(explained instanceof MultiboxError)) {
      return { code: this.#bugCode, message: `The database ${name} failed: ${sentenceOf(error)}.`, hint: "" };
    }
    if (explained.code === "STORE_DAMAGED" && this.#opened) this.#damage = explained;
    if (explained.code.startsWith("STORE_") && !isPassing(explained)) this.#tell(errorBody(explained));
    return errorBody(explained);
  }

  #requireWell(): void {
    const failure = this.#fault();
    if (failure) throw failure;
  }

  /** What forbids to write into the file. Damage stays. */
  #fault(): MultiboxError | undefined {
    if (this.#damage) return this.#damage;
    const failure = this.#watch?.failure();
    if (failure?.code === "STORE_DAMAGED") this.#damage = failure;
    if (!failure && this.#watch?.isWritten()) this.#verify();
    return this.#damage ?? failure;
  }

  #verify(): void {
    const name = basename(this.#spec.path);
    try {
      const wrong = this.#opened?.verify?.();
      if (wrong !== undefined) this.#damage = damaged(name, wrong);
    } catch (error) {
      const explained = storeError(error, name);
      // A lock, or a disk that cannot be read: the next statement reports it.
      if (explained instanceof MultiboxError && explained.code === "STORE_DAMAGED") this.#damage = explained;
    }
  }

  #check(): void {
    const failure = this.#fault();
    if (failure) this.#tell(errorBody(failure));
    else if (this.#failure && this.#opened) this.#probe(this.#opened.db);
  }

  /** A write that changes nothing: whether what failed has passed. */
  #probe(db: Db): void {
    try {
      transact(db, () => db.exec(`PRAGMA user_version = ${numberOf(db, "PRAGMA user_version")}`));
      this.#tell(undefined);
    } catch {
      // It has not.
    }
  }

  #tell(failure: ErrorBody | undefined): void {
    if (failure?.message === this.#failure?.message) return;
    this.#failure = failure;
    this.#send({ failure });
  }

  #tidyIn(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers = this.#timers.filter((one) => one !== timer);
      let isMore = false;
      try {
        if (!this.#fault()) isMore = this.#opened?.tidy?.() ?? false;
      } catch {
        // A lock, or a full disk: the next write reports it.
      }
      this.#tidyIn(isMore ? 10 : TIDY_MS);
    }, ms);
    this.#timers.push(timer);
  }
}

function operationOf(operations: Partial<Operations>, name: string): (argument: never) => unknown {
  const found = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (!found) throw new Error(`The database has no operation "${name}".`);
  return found;
}
