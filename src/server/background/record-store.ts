// Records of background work in a table of multibox.db, so that they are there after a restart.
import type { z } from "zod";
import { sentenceOf } from "../../errors.ts";
import { requireFormat } from "../../file-format.ts";
import { callOf } from "../database/database-thread.ts";
import type { Store } from "../database/store.ts";
import type { RecordTable } from "../database/store-operations.ts";

const FORMAT = 1;

interface Kept {
  readonly id: string;
  readonly state: string;
}

/** All of it fails with STORE_UNAVAILABLE or STORE_DAMAGED; changes are made in the order of the calls. */
export class RecordStore<T extends Kept> {
  readonly #store: Store;
  readonly #table: RecordTable;
  readonly #schema: z.ZodType<T>;

  /** `table` has the columns id, state and record, which is JSON. */
  constructor(store: Store, table: RecordTable, schema: z.ZodType<T>) {
    this.#store = store;
    this.#table = table;
    this.#schema = schema;
  }

  /** In the order in which they were made. One that cannot be read is reported to `onWarning` and left alone. */
  async load(onWarning: (sentence: string) => void): Promise<T[]> {
    const rows = await callOf(this.#store, "records", this.#table);
    return rows.flatMap(({ id, record: json }) => {
      const name = `The record ${id} of ${this.#table}`;
      try {
        const content = parse(json);
        requireFormat(content, name, FORMAT);
        const record = this.#schema.safeParse(content);
        if (record.success) return [record.data];
        onWarning(`${name} cannot be read.`);
      } catch (error) {
        onWarning(sentenceOf(error));
      }
      return [];
    });
  }

  /** Of all, readable or not. */
  async ids(): Promise<string[]> {
    return (await callOf(this.#store, "records", this.#table)).map(({ id }) => id);
  }

  put(record: T): Promise<void> {
    const { id, state } = record;
    return callOf(this.#store, "putRecord", {
      table: this.#table,
      id,
      state,
      record: JSON.stringify({ format: FORMAT, ...record }),
    });
  }

  delete(id: string): Promise<void> {
    return callOf(this.#store, "deleteRecord", { table: this.#table, id });
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
