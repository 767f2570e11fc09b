// Keeps `seq` unique over restarts: a stream's numbers continue where they were, and after a crash a little further on.
import type { Logger } from "pino";
import { sentenceOf } from "../../errors.ts";
import type { Detected } from "../../pipeline/frame.ts";
import { callOf, errorOf } from "../database/database-thread.ts";
import type { Store } from "../database/store.ts";

/** How far ahead of what was used the database is: up to this many numbers are left out after a crash. */
const AHEAD = 500;
const PREPARE_MS = 1000;

interface Numbers {
  /** Of the next frame. */
  next: number;
  /** What the database has, or will have. */
  reserved: number;
}

/**
 * In `seqs` there is, for each stream that ever was, a number that none of its frames has had. It is written ahead, once in some
 * hundred frames, because a number that a client has seen must not come again, whenever the process is killed.
 */
export class Sequences {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #streams: Map<string, Numbers>;
  #hasFailed = false;

  private constructor(store: Store, logger: Logger, streams: Map<string, Numbers>) {
    this.#store = store;
    this.#logger = logger;
    this.#streams = streams;
  }

  /** Fails with STORE_DAMAGED or STORE_UNAVAILABLE. */
  static async load(store: Store, logger: Logger): Promise<Sequences> {
    const rows = await callOf(store, "sequences", undefined);
    return new Sequences(store, logger, new Map(rows.map(({ stream, next }) => [stream, { next, reserved: next }])));
  }

  /** Reserves numbers for a stream that is about to begin. Never fails, and does not wait long for a database that is locked. */
  async prepare(stream: string): Promise<void> {
    const { next } = this.#of(stream);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PREPARE_MS);
      this.#reserve(stream, next + AHEAD, resolve);
    });
    clearTimeout(timer);
  }

  /** The number of the next frame of a stream that begins. */
  first(stream: string): number {
    const numbers = this.#of(stream);
    if (numbers.reserved < numbers.next + AHEAD) this.#reserve(stream, numbers.next + AHEAD);
    return numbers.next;
  }

  /** A frame got its number. */
  used({ frame, seq }: Pick<Detected, "frame" | "seq">): void {
    const numbers = this.#streams.get(frame.stream);
    if (!numbers) return;
    numbers.next = seq + 1;
    if (numbers.reserved - numbers.next < AHEAD / 2) this.#reserve(frame.stream, numbers.next + AHEAD);
  }

  /** After a shutdown in good order no number is left out. The store is closed after it. */
  close(): void {
    for (const [stream, { next, reserved }] of this.#streams) if (next !== reserved) this.#reserve(stream, next);
  }

  #of(stream: string): Numbers {
    const known = this.#streams.get(stream);
    if (known) return known;
    const fresh = { next: 0, reserved: 0 };
    this.#streams.set(stream, fresh);
    return fresh;
  }

  #reserve(stream: string, upTo: number, done: () => void = () => undefined): void {
    const numbers = this.#of(stream);
    const before = numbers.reserved;
    numbers.reserved = upTo;
    this.#store.ask("reserve", { stream, next: upTo }, (reply) => {
      if ("error" in reply) {
        // A full disk, or a lock: detection continues, and the numbers too.
        if (numbers.reserved === upTo) numbers.reserved = before;
        if (!this.#hasFailed)
          this.#logger.error(`sequence numbers cannot be stored: ${sentenceOf(errorOf(reply.error))}`);
      }
      this.#hasFailed = "error" in reply;
      done();
    });
  }
}
