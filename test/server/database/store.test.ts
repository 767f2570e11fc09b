// The database: made, kept, brought up to date, refused where it is damaged, and nobody else's to read.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lockDataDir } from "../../../src/server/data-dir.ts";
import { MIGRATIONS } from "../../../src/server/database/migrations.ts";
import { closeDatabase, numberOf, transact } from "../../../src/server/database/sqlite.ts";
import { openStore } from "../../../src/server/database/store.ts";

const folder = mkdtempSync(join(tmpdir(), "multibox-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const failsWith = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message: expect.stringMatching(message) });

describe("a database", () => {
  test("is made with its folder, readable by its owner alone, its log too, and keeps what was committed", () => {
    const path = join(folder, "new/data/multibox.db");
    const store = openStore(path);
    store.prepare("INSERT INTO streams VALUES (?, ?, ?)").run("cam", "{}", 1);
    expect([path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(statSync(join(folder, "new/data")).mode & 0o777).toBe(0o700);
    closeDatabase(store);
    closeDatabase(store);
    const again = openStore(path);
    expect(again.prepare("SELECT id FROM streams").raw().all()).toEqual([["cam"]]);
    closeDatabase(again);
  });

  test("goes through the steps that it has not been through, each whole", () => {
    const path = join(folder, "steps.db");
    closeDatabase(openStore(path, { migrations: ["CREATE TABLE a (x)"] }));
    const steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO a VALUES (7)"];
    closeDatabase(openStore(path, { migrations: steps }));
    const broken = [...steps, "INSERT INTO a VALUES (8); INSERT INTO nowhere VALUES (1)"];
    expect(() => openStore(path, { migrations: broken })).toThrow(/nowhere/);
    const store = openStore(path, { migrations: steps });
    expect(store.prepare("SELECT x FROM a").raw().all()).toEqual([[7]]);
    expect(numberOf(store, "PRAGMA user_version")).toBe(2);
    closeDatabase(store);
  });

  test("of a newer multibox is refused", () => {
    const path = join(folder, "newer.db");
    closeDatabase(openStore(path, { migrations: [...MIGRATIONS, "CREATE TABLE later (x)"] }));
    expect(() => openStore(path)).toThrow(failsWith("STORE_NEWER", /newer\.db was written by a newer multibox/));
  });

  test("that is none is said to be damaged, and stays as it is", () => {
    const path = join(folder, "text.db");
    const text = "This is no database. ".repeat(100);
    writeFileSync(path, text);
    expect(() => openStore(path)).toThrow(failsWith("STORE_DAMAGED", /text\.db is damaged: file is not a database/));
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("with broken pages is found out when it is opened", () => {
    const path = join(folder, "broken.db");
    const store = openStore(path);
    const insert = store.prepare("INSERT INTO streams VALUES (?, ?, ?)");
    for (let i = 0; i < 200; i++) insert.run(`cam${i}`, "x".repeat(200), i);
    closeDatabase(store);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 3 * 4096, 5 * 4096);
    writeFileSync(path, bytes);
    expect(() => openStore(path)).toThrow(failsWith("STORE_DAMAGED", /broken\.db is damaged/));
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("whose folder cannot be made is a sentence", () => {
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file/multibox.db");
    expect(() => openStore(path)).toThrow(
      failsWith("STORE_UNAVAILABLE", /multibox\.db cannot be used: its folder is no folder/),
    );
  });

  test("transactions are all or nothing", () => {
    const store = openStore(":memory:");
    const insert = store.prepare("INSERT INTO streams VALUES (?, '{}', 0)");
    transact(store, () => insert.run("a"));
    expect(() =>
      transact(store, () => {
        insert.run("b");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(transact(store, () => numberOf(store, "SELECT count(*) FROM streams"))).toBe(1);
    closeDatabase(store);
  });
});

test("a data folder is one server's at a time", () => {
  const dataDir = join(folder, "locked");
  const unlock = lockDataDir(dataDir);
  expect(() => lockDataDir(dataDir)).toThrow(failsWith("DATA_DIR_IN_USE", /Another multibox server uses/));
  unlock();
  lockDataDir(dataDir)();
});
