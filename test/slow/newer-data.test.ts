// A data folder of a newer multibox: this version refuses to start on it, and changes nothing in it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase, closeDatabase } from "../../src/server/database/sqlite.ts";
import { runMultibox } from "../support/multibox.ts";

test.each(["multibox.db", "history.db"])("a server does not start on a %s of a newer multibox", async (name) => {
  const dataDir = mkdtempSync(join(tmpdir(), "multibox-newer-"));
  try {
    const path = join(dataDir, name);
    const db = openDatabase(path);
    db.exec("CREATE TABLE later (x); PRAGMA user_version = 99");
    closeDatabase(db);
    const before = readFileSync(path);
    const exit = await runMultibox(["serve", "--port", "0", "--no-demo", "--json"], { MULTIBOX_DATA_DIR: dataDir });
    expect(exit.code).toBe(1);
    expect(exit.stdout).toBe("");
    expect(exit.stderr).toContain(
      `STORE_NEWER: The database ${path} was written by a newer multibox: it is at step 99`,
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
