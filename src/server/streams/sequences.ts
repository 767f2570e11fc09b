// Keeps `seq` unique over restarts: a stream's numbers go on where they were, and after a crash a little further on.
import type { Logger } from "pino";
import { sentenceOf } from "../../errors.ts";
import type { Detected } from "../../pipeline/frame.ts";
import type { Store } from "../store.ts";

/** How far ahead of what was used the database is: so many numbers at most are left out after a crash. */
const AHEAD = 500;

/**
 * In `seqs` stands, for each stream there ever was, a number that none of its frames has had. It is written ahead, once in
 * some hundred frames, because a number that a client has seen must not come again, whenever the process is killed.
 */
export class Sequences {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #streams = new Map<string, { next: number; reserved: number }>();
  #hasFailed = false;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** The number of the next frame of a stream that begins. */
  first(stream: string): number {
    const known = this.#streams.get(stream)?.next;
    const sql = "SELECT next FROM seqs WHERE stream = ?";
    const kept = (this.#store.db.prepare(sql).raw().get(stream) as [number] | undefined)?.[0];
    const next = known ?? kept ?? 0;
    this.#streams.set(stream, { next, reserved: 0 });
    this.#reserve(stream, next + AHEAD);
    return next;
  }

  /** A frame got its number. */
  used({ frame, seq }: Pick<Detected, "frame" | "seq">): void {
    const stream = this.#streams.get(frame.stream);
    if (!stream) return;
    stream.next = seq + 1;
    if (stream.reserved - stream.next < AHEAD / 2) this.#reserve(frame.stream, stream.next + AHEAD);
  }

  /** At the end in good order no number is left out. */
  close(): void {
    for (const [stream, { next }] of this.#streams) this.#reserve(stream, next);
  }

  #reserve(stream: string, upTo: number): void {
    try {
      const sql = "INSERT INTO seqs VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next";
      this.#store.db.prepare(sql).run(stream, upTo);
      this.#streams.get(stream)!.reserved = upTo;
      this.#hasFailed = false;
    } catch (error) {
      // A full disk: detection goes on, and the numbers too.
      if (!this.#hasFailed) this.#logger.error(`sequence numbers cannot be kept: ${sentenceOf(error)}`);
      this.#hasFailed = true;
    }
  }
}
