// A command in the background: it gives way, learns no secret, tells its events, and ends when it is asked to, or is made to.
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { createGuard } from "../../../src/pipeline/guard.ts";
import { type BackgroundExit, runInBackground } from "../../../src/server/background/background-child.ts";

interface Watched {
  readonly exit: Promise<BackgroundExit>;
  /** The next event. */
  readonly next: () => Promise<Record<string, unknown>>;
  readonly abort: () => void;
}

function start(script: string): Watched {
  const events: Record<string, unknown>[] = [];
  const abort = new AbortController();
  const exit = runInBackground({
    command: [process.execPath, "-e", script],
    cwd: tmpdir(),
    guard: createGuard(),
    signal: abort.signal,
    onEvent: (event) => events.push(event as Record<string, unknown>),
  });
  const next = async (): Promise<Record<string, unknown>> => {
    await expect.poll(() => events.length, { timeout: 55_000 }).toBeGreaterThan(0);
    return events.shift()!;
  };
  return { exit, next, abort: () => abort.abort() };
}

test("what it prints as JSON are its events, and its last words are kept", async () => {
  const { exit, next } = start(
    `console.log('{"a":1}'); console.log("no JSON"); console.error("oh"); process.exitCode = 3`,
  );
  expect(await next()).toEqual({ a: 1 });
  expect(await exit).toEqual({ code: 3, signal: null, stderrTail: ["oh"] });
});

test.skipIf(process.platform !== "linux")(
  "all its threads have the lowest priority, and it does not see the server's settings (needs /proc)",
  async () => {
    process.env["MULTIBOX_TOKEN"] = "a-secret-of-the-server";
    try {
      const { exit, next, abort } = start(`
      const { Worker } = require("node:worker_threads");
      new Worker("setInterval(() => {}, 1000)", { eval: true }).once("online", () =>
        console.log(JSON.stringify({ pid: process.pid, secrets: Object.keys(process.env).filter((name) => /^MULTIBOX/.test(name)) })));
    `);
      const { pid, secrets } = await next();
      const threads = readdirSync(`/proc/${String(pid)}/task`);
      // The 19th field; the second is a name, which may have blanks and brackets.
      const nice = threads.map(
        (id) =>
          readFileSync(`/proc/${String(pid)}/task/${id}/stat`, "utf8")
            .split(") ")[1]!
            .split(" ")[16],
      );
      expect([new Set(nice), threads.length > 2, secrets]).toEqual([new Set(["19"]), true, []]);
      abort();
      expect(await exit).toMatchObject({ signal: "SIGTERM" });
    } finally {
      delete process.env["MULTIBOX_TOKEN"];
    }
  },
);

test("what cannot be started is a sentence", async () => {
  const run = {
    command: ["/nowhere/multibox"],
    cwd: tmpdir(),
    guard: createGuard(),
    signal: new AbortController().signal,
  };
  await expect(runInBackground({ ...run, onEvent: () => undefined })).rejects.toMatchObject({
    code: "JOB_NOT_STARTED",
  });
});
