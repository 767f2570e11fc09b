// What can be done with multibox.db in its thread.
import { type TokenRow, tokenRows } from "../access/token-table.ts";
import type { OpenedDatabase } from "./answering.ts";
import { closeDatabase, type Db, faultOnDisk, numberOf } from "./sqlite.ts";

/** `config` is JSON. */
export interface StreamRow {
  readonly id: string;
  readonly config: string;
}

/** A number that no frame of the stream has had. */
export interface SequenceRow {
  readonly stream: string;
  readonly next: number;
}

export type RecordTable = "jobs" | "trainings";

/** `record` is JSON. */
export interface RecordRow {
  readonly id: string;
  readonly record: string;
}

/** `rows` is absent where nothing has changed since `version`, which rises when another process has changed anything. */
export interface TokenState {
  readonly version: number;
  readonly rows?: readonly TokenRow[];
}

const readsOf = (db: Db) => ({
  /** In the order in which they were added. */
  streams: (): StreamRow[] => db.prepare("SELECT id, config FROM streams ORDER BY added_at, id").all() as StreamRow[],
  sequences: (): SequenceRow[] => db.prepare("SELECT stream, next FROM seqs").all() as SequenceRow[],
  tokens: (known: number | undefined): TokenState => {
    const version = numberOf(db, "PRAGMA data_version");
    return version === known ? { version } : { version, rows: tokenRows(db) };
  },
  /** In the order in which they were made. */
  records: (table: RecordTable): RecordRow[] =>
    db.prepare(`SELECT id, record FROM ${table} ORDER BY id`).all() as RecordRow[],
});

const writesOf = (db: Db) => ({
  putStream: ({ id, config, addedAt }: StreamRow & { readonly addedAt: number }): void => {
    const sql = "INSERT INTO streams VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET config = excluded.config";
    db.prepare(sql).run(id, config, addedAt);
  },
  deleteStream: (id: string): void => void db.prepare("DELETE FROM streams WHERE id = ?").run(id),
  reserve: ({ stream, next }: SequenceRow): void => {
    const sql = "INSERT INTO seqs VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next";
    db.prepare(sql).run(stream, next);
  },
  useToken: ({ id, time }: { readonly id: string; readonly time: number }): void =>
    void db.prepare("UPDATE tokens SET used_at = ? WHERE id = ?").run(time, id),
  putRecord: ({
    table,
    id,
    state,
    record,
  }: RecordRow & { readonly table: RecordTable; readonly state: string }): void => {
    const sql = `INSERT INTO ${table} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, record = excluded.record`;
    db.prepare(sql).run(id, state, record);
  },
  deleteRecord: ({ table, id }: { readonly table: RecordTable; readonly id: string }): void =>
    void db.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id),
});

export type StoreOperations = ReturnType<typeof readsOf> & ReturnType<typeof writesOf>;

export function openedStore(db: Db): OpenedDatabase<StoreOperations> {
  return {
    db,
    reads: readsOf(db),
    writes: writesOf(db),
    verify: () => faultOnDisk(db),
    close: (isDamaged) => closeDatabase(db, isDamaged),
  };
}
