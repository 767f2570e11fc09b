// Another process that keeps the write lock of a database until it is told to let go.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";

export interface DatabaseLock {
  /** Resolves when the lock is free. Idempotent. */
  release(): Promise<void>;
}

const PROGRAM = `
  const Database = require("libsql");
  const db = new Database(process.argv[1], { timeout: 5000 });
  db.exec("BEGIN IMMEDIATE");
  console.log("locked");
  process.stdin.on("end", () => { db.exec("ROLLBACK"); process.exit(0); }).resume();
`;

/** Resolves when that process has the lock. */
export async function lockDatabase(path: string): Promise<DatabaseLock> {
  const child = spawn(process.execPath, ["-e", PROGRAM, path], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    ended.then(() => Promise.reject(new Error(`${path} could not be locked.`))),
  ]);
  return {
    release: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
