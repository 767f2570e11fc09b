// The database of the history, history.db: frames in, frames out, the oldest gone. Synchronous, so it lives in a worker thread.
import type { FrameRecord } from "./frame-record.ts";
import { decodeBody, encodeBody } from "./history-body.ts";
import { HistoryNames } from "./history-names.ts";
import { countMinutes, type MinuteCount } from "./history-minutes.ts";
import { closeDatabase, type Db, migrate, numberOf, openDatabase, transact } from "../database/sqlite.ts";
import { isBusy, storeError } from "../database/store-error.ts";

export interface HistoryLimits {
  readonly hours: number;
  readonly maxMb: number;
}

export interface SweepLimits extends HistoryLimits {
  /** How many frames may go for their age, however many are too old. */
  readonly maxExpired?: number;
}

export interface Swept {
  /** Frames that went for their age. */
  readonly expired: number;
  /** Whether another sweep at once would find more. */
  readonly isMore: boolean;
}

/**
 * `frames` is in the order of arrival, so that what goes at the end and what goes away at the front are whole pages. `minutes` counts
 * each stream's frames and labels (0: all frames) by the minute, for statistics and to find the frames that have a label.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT NOT NULL, class_id INTEGER NOT NULL, UNIQUE (label, class_id)) STRICT;
   CREATE TABLE shapes (id INTEGER PRIMARY KEY, width INTEGER NOT NULL, height INTEGER NOT NULL, model TEXT NOT NULL,
     version TEXT NOT NULL, UNIQUE (width, height, model, version)) STRICT;
   CREATE TABLE frames (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
     pts REAL NOT NULL, shape INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
   CREATE UNIQUE INDEX frames_by_seq ON frames (stream, seq);
   CREATE TABLE minutes (stream INTEGER NOT NULL, minute INTEGER NOT NULL, label INTEGER NOT NULL, frames INTEGER NOT NULL,
     detections INTEGER NOT NULL, best REAL NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
     PRIMARY KEY (stream, minute, label)) STRICT, WITHOUT ROWID`,
];

/** Frames that are taken away at a time: some 30 ms, for which nobody is answered. */
const CHUNK = 500;

export class HistoryStore {
  readonly db: Db;
  readonly #path: string;
  #names: HistoryNames;

  /** Fails with STORE_DAMAGED, STORE_NEWER or STORE_UNAVAILABLE; with what SQLite throws while another process has the lock. */
  constructor(path: string, { timeoutMs }: { readonly timeoutMs?: number } = {}) {
    this.#path = path;
    this.db = this.#explained(() =>
      openDatabase(path, { shrinks: true, ...(timeoutMs !== undefined && { timeoutMs }) }),
    );
    try {
      this.#explained(() => migrate(this.db, path, MIGRATIONS));
    } catch (error) {
      closeDatabase(this.db, true);
      throw error;
    }
    this.#names = new HistoryNames(this.db);
  }

  get names(): HistoryNames {
    return this.#names;
  }

  /** All of them or none. A frame that is there already is left as it is. */
  write(records: readonly FrameRecord[]): void {
    try {
      this.#explained(() => transact(this.db, () => this.insert(records)));
    } catch (error) {
      this.forgetNames();
      throw error;
    }
  }

  /** They may be numbers that were taken back with a transaction. */
  forgetNames(): void {
    this.#names = new HistoryNames(this.db);
  }

  /** The frames of a stream whose `seq` is in `(after, upTo]`, in order, at most `limit`. */
  read(stream: string, after: number, limit: number, upTo = Number.MAX_SAFE_INTEGER): FrameRecord[] {
    const id = this.#names.findStream(stream);
    if (id === undefined) return [];
    const sql =
      "SELECT seq, time, pts, shape, body FROM frames WHERE stream = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
    const rows = this.db.prepare(sql).raw().all(id, after, upTo, limit) as [number, number, number, number, Buffer][];
    return rows.map(([seq, time, pts, shape, body]) => ({
      stream,
      seq,
      pts,
      time,
      ...this.#names.shape(shape),
      ...decodeBody(body, (label) => this.#names.label(label)),
    }));
  }

  /** The number of the first frame after that one, or undefined. */
  first(stream: string, after: number): number | undefined {
    const id = this.#names.findStream(stream);
    if (id === undefined) return undefined;
    const sql = "SELECT seq FROM frames WHERE stream = ? AND seq > ? ORDER BY seq LIMIT 1";
    return (this.db.prepare(sql).raw().get(id, after) as [number] | undefined)?.[0];
  }

  /** Frames, but for some that were taken away out of order. */
  get count(): number {
    return numberOf(this.db, "SELECT coalesce(max(id) - min(id) + 1, 0) FROM frames");
  }

  /** Removes what is expired or over the limit, at most this number of frames. */
  sweep(now: number, { hours, maxMb, maxExpired = Infinity }: SweepLimits, most = CHUNK): Swept {
    const cutoff = now - hours * 3_600_000;
    const limit = maxMb * 1_048_576;
    return transact(this.db, () => {
      const mostOld = Math.min(most, maxExpired);
      const old = mostOld > 0 ? this.#oldIds(now, cutoff, mostOld) : [];
      const drop = this.db.prepare("DELETE FROM frames WHERE id = ?");
      for (const id of old) drop.run(id);
      const isTooMuch = old.length < most && this.#usedBytes() > limit;
      if (isTooMuch) {
        this.db.prepare("DELETE FROM frames WHERE id IN (SELECT id FROM frames ORDER BY id LIMIT ?)").run(most);
      }
      // Counts stay as long as frames that are as old.
      if (old.length < mostOld)
        this.db.prepare("DELETE FROM minutes WHERE minute < ?").run(Math.floor(cutoff / 60_000));
      // Pages that are free are used again; the file gets smaller only when the limit has.
      if (this.#pages() * this.#pageSize() > limit * 1.1) this.db.exec("PRAGMA incremental_vacuum(250)");
      return { expired: old.length, isMore: old.length === most || isTooMuch };
    });
  }

  close(isDamaged = false): void {
    closeDatabase(this.db, isDamaged);
  }

  /** What `write` does, within the transaction of the caller. */
  insert(records: readonly FrameRecord[]): void {
    const insert = this.db.prepare(
      "INSERT INTO frames (stream, seq, time, pts, shape, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stream, seq) DO NOTHING",
    );
    const kept = records.filter((record) => {
      const body = encodeBody(record, (label) => this.#names.labelId(label));
      const { stream, seq, time, pts } = record;
      const ids = [this.#names.streamId(stream), seq, time, pts, this.#names.shapeId(record)] as const;
      return insert.run(...ids, body).changes > 0;
    });
    const count = this.db.prepare(
      `INSERT INTO minutes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         frames = frames + excluded.frames, detections = detections + excluded.detections, best = max(best, excluded.best),
         first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)`,
    );
    for (const minute of countMinutes(kept, this.#names)) count.run(...valuesOf(minute));
  }

  /** The front of `frames` as far as it is too old. Frames of the future (the clock was wrong) are passed over. */
  #oldIds(now: number, cutoff: number, most: number): number[] {
    const front = this.db.prepare("SELECT id, time FROM frames WHERE id > ? ORDER BY id LIMIT ?").raw();
    const old: number[] = [];
    for (let last = -1; ;) {
      const rows = front.all(last, most) as [number, number][];
      for (const [id, time] of rows) {
        if (old.length === most || (time >= cutoff && time <= now)) return old;
        if (time < cutoff) old.push(id);
        last = id;
      }
      if (rows.length < most) return old;
    }
  }

  #pages(): number {
    return numberOf(this.db, "PRAGMA page_count");
  }

  #pageSize(): number {
    return numberOf(this.db, "PRAGMA page_size");
  }

  #usedBytes(): number {
    return (this.#pages() - numberOf(this.db, "PRAGMA freelist_count")) * this.#pageSize();
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw isBusy(error) ? error : storeError(error, this.#path);
    }
  }
}

function valuesOf(m: MinuteCount): number[] {
  return [m.stream, m.minute, m.label, m.frames, m.detections, m.best, m.firstSeq, m.lastSeq];
}
