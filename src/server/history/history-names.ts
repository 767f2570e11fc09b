// The numbers that stand for names in the history: streams, labels, and what pictures and models frames had.
import type { KeptLabel } from "./history-body.ts";
import type { Db } from "../database/sqlite.ts";

/** What nearly all frames of a stream have alike. */
export interface Shape {
  readonly width: number;
  readonly height: number;
  readonly model: { readonly name: string; readonly version: string };
}

/** Gives a number to each name the first time, within the transaction that is under way. Forget it when that fails. */
export class HistoryNames {
  readonly #db: Db;
  readonly #ids = new Map<string, number>();
  readonly #labels = new Map<number, KeptLabel>();
  readonly #shapes = new Map<number, Shape>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Undefined for a stream of which there is nothing. */
  findStream(name: string): number | undefined {
    return this.#find("streams", { name });
  }

  streamId(name: string): number {
    return this.#id("streams", { name });
  }

  labelId({ label, classId }: KeptLabel): number {
    return this.#id("labels", { label, class_id: classId });
  }

  /** One label may have been of several classes, with several models. */
  labelIds(labels: readonly string[]): number[] {
    const marks = labels.map(() => "?").join(", ");
    const rows = this.#db
      .prepare(`SELECT id FROM labels WHERE label IN (${marks})`)
      .raw()
      .all(...labels) as [number][];
    return rows.map(([id]) => id);
  }

  label(id: number): KeptLabel {
    const known = this.#labels.get(id);
    if (known) return known;
    const [label, classId] = this.#row("SELECT label, class_id FROM labels WHERE id = ?", id) as [string, number];
    this.#labels.set(id, { label, classId });
    return { label, classId };
  }

  shapeId({ width, height, model }: Shape): number {
    return this.#id("shapes", { width, height, model: model.name, version: model.version });
  }

  shape(id: number): Shape {
    const known = this.#shapes.get(id);
    if (known) return known;
    const sql = "SELECT width, height, model, version FROM shapes WHERE id = ?";
    const [width, height, name, version] = this.#row(sql, id) as [number, number, string, string];
    const shape = { width, height, model: { name, version } };
    this.#shapes.set(id, shape);
    return shape;
  }

  #id(table: string, values: Readonly<Record<string, string | number>>): number {
    const found = this.#find(table, values);
    if (found !== undefined) return found;
    const names = Object.keys(values);
    const sql = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    const id = Number(this.#db.prepare(sql).run(...Object.values(values)).lastInsertRowid);
    this.#ids.set(keyOf(table, values), id);
    return id;
  }

  #find(table: string, values: Readonly<Record<string, string | number>>): number | undefined {
    const key = keyOf(table, values);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const where = Object.keys(values).map((name) => `${name} = ?`);
    const row = this.#row(`SELECT id FROM ${table} WHERE ${where.join(" AND ")}`, ...Object.values(values));
    if (row) this.#ids.set(key, row[0] as number);
    return row?.[0] as number | undefined;
  }

  #row(sql: string, ...values: readonly (string | number)[]): readonly unknown[] | undefined {
    return this.#db
      .prepare(sql)
      .raw()
      .get(...values) as readonly unknown[] | undefined;
  }
}

function keyOf(table: string, values: Readonly<Record<string, string | number>>): string {
  return `${table} ${Object.values(values).join("\n")}`;
}
