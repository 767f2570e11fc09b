// Records of background work in a table of multibox.db, so that they are there after a restart.
import type { z } from "zod";
import { type Store, storeError } from "../store.ts";

interface Kept {
  readonly id: string;
  readonly state: string;
}

export class RecordStore<T extends Kept> {
  readonly #store: Store;
  readonly #table: string;
  readonly #schema: z.ZodType<T>;

  /** `table` has the columns id, state and record, which is JSON. */
  constructor(store: Store, table: "jobs" | "trainings", schema: z.ZodType<T>) {
    this.#store = store;
    this.#table = table;
    this.#schema = schema;
  }

  /** In the order in which they were made. One that cannot be read is told to `onWarning` and left alone. */
  load(onWarning: (sentence: string) => void): T[] {
    const sql = `SELECT id, record FROM ${this.#table} ORDER BY id`;
    const rows = this.#store.db.prepare(sql).raw().all() as [string, string][];
    return rows.flatMap(([id, json]) => {
      const record = this.#schema.safeParse(parse(json));
      if (!record.success) onWarning(`The record ${id} of ${this.#table} cannot be read.`);
      return record.success ? [record.data] : [];
    });
  }

  /** Of all, readable or not. */
  ids(): string[] {
    const rows = this.#store.db.prepare(`SELECT id FROM ${this.#table}`).raw().all() as [string][];
    return rows.map(([id]) => id);
  }

  /** Fails with STORE_UNAVAILABLE or STORE_DAMAGED. */
  put(record: T): void {
    this.#run(
      `INSERT INTO ${this.#table} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, record = excluded.record`,
      record.id,
      record.state,
      JSON.stringify(record),
    );
  }

  /** Fails likewise. */
  delete(id: string): void {
    this.#run(`DELETE FROM ${this.#table} WHERE id = ?`, id);
  }

  #run(sql: string, ...values: readonly string[]): void {
    try {
      this.#store.db.prepare(sql).run(...values);
    } catch (error) {
      throw storeError(error, "multibox.db");
    }
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
