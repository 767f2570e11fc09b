// Child processes that misbehave, and a machine that refuses to start any: the server lives, and nothing is left behind.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoClip } from "../../../src/demo-clip.ts";
import { findFfmpeg } from "../../../src/pipeline/find-ffmpeg.ts";
import { testCacheDir } from "../../support/model.ts";
import { launch, type Multibox, runMultibox, startMultibox, withMultibox } from "../../support/multibox.ts";
import { childrenOf, isRunning, processesWith, until } from "../../support/processes.ts";

let folder: string;
let clip: string;
let real: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "multibox-children-"));
  clip = await demoClip(testCacheDir());
  real = (await findFfmpeg()).path;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shell in front of ffmpeg that does `extra` before each run but that which asks for the version. */
function wrapper(name: string, extra: string, last = `"${real}" "$@"`): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *-version*) exec "${real}" "$@" ;; esac\n${extra}\n${last}\nexit $?\n`);
  chmodSync(path, 0o755);
  return path;
}

const peakKb = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
const addClip = async (multibox: Multibox, id: string): Promise<void> => {
  expect((await multibox.add({ id, url: clip, loop: true, maxFps: 5 })).status).toBe(201);
  await multibox.streamOnce(id, ({ state }) => state === "live");
};
/** A busy machine does not make a stream stall. */
const args = (): string[] => ["--no-demo", "--stall-seconds", "300", "--file-roots", join(clip, "..")];

test("a URL with a NUL is refused by name, also as a change, and the server lives", async () => {
  await withMultibox(["--no-demo"], async (multibox) => {
    expect((await multibox.add({ id: "cam", url: "rtsp://127.0.0.1:9/x", paused: true })).status).toBe(201);
    const url = "rtsp://127.0.0.1:9/\u0000";
    const added = await multibox.add({ id: "x", url });
    const headers = { "content-type": "application/json" };
    const changed = await multibox.ask("/v1/streams/cam", { method: "PATCH", headers, body: JSON.stringify({ url }) });
    for (const answer of [added, changed]) {
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { detail: string }).detail).toMatch(/^"url" cannot be .*control characters/);
    }
    expect((await multibox.streams()).map(({ id }) => id)).toEqual(["cam"]);
  });
});

test("stored streams that cannot run are misconfigured, all others start, and a change or removal repairs them", async () => {
  const dataDir = mkdtempSync(join(folder, "data-"));
  const env = { MULTIBOX_DATA_DIR: dataDir };
  const stored = (): Map<string, string> => {
    const db = new Database(join(dataDir, "multibox.db"));
    try {
      return new Map(db.prepare("SELECT id, config FROM streams").raw().all() as [string, string][]);
    } finally {
      db.close();
    }
  };
  await withMultibox(args(), (multibox) => addClip(multibox, "good"), env);
  const db = new Database(join(dataDir, "multibox.db"));
  const rows = {
    nul: JSON.stringify({ id: "nul", url: "rtsp://127.0.0.1:9/\u0000", loop: true, transport: "tcp" }),
    broken: "{",
    list: "[]",
    scheme: JSON.stringify({ id: "scheme", url: "ftp://me:s3cret@host/x", loop: true, transport: "tcp" }),
    newer: JSON.stringify({
      id: "newer",
      url: "rtsp://127.0.0.1:9/x",
      loop: true,
      transport: "tcp",
      shiny: 1,
      maxFps: -1,
    }),
    proto: '{"id":"proto","url":"rtsp://127.0.0.1:9/x","__proto__":{"paused":true}}',
  };
  for (const [id, json] of Object.entries(rows)) db.prepare("INSERT INTO streams VALUES (?, ?, 1)").run(id, json);
  db.close();
  await withMultibox(
    args(),
    async (multibox) => {
      await multibox.streamOnce("good", ({ state }) => state === "live");
      const found = new Map((await multibox.streams()).map((stream) => [stream.id, stream]));
      for (const id of Object.keys(rows)) expect([id, found.get(id)?.state]).toEqual([id, "misconfigured"]);
      const said = (id: string): string => found.get(id)!.error!.message;
      expect(said("nul")).toContain('"url"');
      expect(said("broken")).toContain("not JSON");
      expect(said("newer")).toMatch(/"maxFps"|"shiny"/);
      expect(said("scheme")).toContain("scheme");
      expect(multibox.stdout + multibox.stderr + JSON.stringify([...found])).not.toContain("s3cret");
      // What cannot be used is not written over by looking at it.
      expect(stored().get("newer")).toBe(rows.newer);
      const headers = { "content-type": "application/json" };
      const change = { url: "rtsp://127.0.0.1:9/fixed" };
      const patched = await multibox.ask("/v1/streams/nul", { method: "PATCH", headers, body: JSON.stringify(change) });
      expect(patched.status).toBe(200);
      await multibox.streamOnce("nul", ({ error }) => error?.code === "STREAM_UNREACHABLE");
      expect((await multibox.ask("/v1/streams/broken", { method: "DELETE" })).status).toBe(204);
    },
    env,
  );
  expect(stored().has("broken")).toBe(false);
  expect(stored().get("nul")).toContain("fixed");
});

describe("an ffmpeg behind a shell that ignores SIGTERM", () => {
  test.each(["DELETE", "SIGKILL"] as const)("is gone with all that it started after %s", async (how) => {
    const path = wrapper(`stubborn-${how}`, "trap '' TERM\nsleep 1000 &");
    const multibox = await startMultibox(args(), { FFMPEG_PATH: path });
    try {
      await addClip(multibox, "cam");
      expect(processesWith(path)).toHaveLength(1);
      const group = processesWith(path)[0]!;
      const members = inGroup(group);
      expect(members.length).toBeGreaterThanOrEqual(3);
      const stopped = how === "DELETE" ? multibox.ask("/v1/streams/cam", { method: "DELETE" }) : multibox.stop(how);
      expect(await stopped).toMatchObject(how === "DELETE" ? { status: 204 } : { signal: how });
      await until(() => members.every((pid) => !isRunning(pid)));
    } finally {
      await multibox.stop("SIGKILL");
    }
  });
});

test("an ffmpeg gets neither proxies nor secrets, and what its libraries need", async () => {
  const seen = join(folder, "environment");
  const path = wrapper("environment.sh", `env > "${seen}"`);
  const env = {
    FFMPEG_PATH: path,
    MULTIBOX_TOKEN: "a-secret-of-the-server",
    http_proxy: "http://127.0.0.1:9",
    no_proxy: "localhost",
    HTTPS_PROXY: "http://127.0.0.1:9",
    FFREPORT: `file=${join(folder, "report")}`,
    LIBVA_DRIVER_NAME: "multibox-test",
  };
  const multibox = await startMultibox(["--no-demo", "--stream", `cam=${clip}`], env);
  try {
    await until(() => readdirSync(folder).includes("environment") && readFileSync(seen, "utf8").includes("PATH="));
    const names = readFileSync(seen, "utf8")
      .split("\n")
      .map((line) => line.split("=", 1)[0]!);
    expect(names).toContain("LIBVA_DRIVER_NAME");
    expect(names.filter((name) => /proxy|MULTIBOX|FFREPORT|npm_/i.test(name))).toEqual([]);
  } finally {
    await multibox.stop();
  }
});

test("300 MB of stderr without a line end cost the server no memory", async () => {
  const path = wrapper("flood.sh", "head -c 300000000 /dev/zero >&2");
  await withMultibox(
    args(),
    async (multibox) => {
      const before = peakKb(multibox.pid);
      await addClip(multibox, "cam");
      expect(peakKb(multibox.pid) - before).toBeLessThan(300_000);
    },
    { FFMPEG_PATH: path },
  );
});

test("a stream whose ffmpeg cannot be started at the limit of open files is tried again until it can", async () => {
  await withMultibox(["--no-demo", "--stream", "dead=rtsp://127.0.0.1:9/x"], async (multibox) => {
    const client = await multibox.connect("*");
    const limit = (files: string): unknown =>
      execFileSync("prlimit", ["--pid", `${multibox.pid}`, `--nofile=${files}`]);
    const fails = async (pattern: RegExp): Promise<void> => {
      const from = client.messages.length;
      await client.until(
        (m) => m.type === "stream" && client.messages.indexOf(m) >= from && pattern.test(m.error?.message ?? ""),
      );
    };
    await multibox.streamOnce("dead", ({ error }) => error?.code === "STREAM_UNREACHABLE");
    const { length } = readdirSync(`/proc/${multibox.pid}/fd`);
    limit(`${Math.max(8, length - 10)}:`);
    await fails(/too many files are open/);
    limit("4096:");
    await fails(/cannot be reached/);
    expect(multibox.stderr).toContain("too many files are open");
  });
});

test("fifty cameras that refuse are added at once, and few ffmpegs start at the same time", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await until(() => server.listening);
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await withMultibox(args(), async (multibox) => {
      await addClip(multibox, "live");
      const [running] = processesWith(clip).filter((pid) => childrenOf(multibox.pid).includes(pid));
      let most = 0;
      const over = new AbortController();
      const count = async (): Promise<void> => {
        while (!over.signal.aborted) {
          most = Math.max(most, childrenOf(multibox.pid).length);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const counting = count();
      const ids = Array.from({ length: 50 }, (_, i) => `cam${i}`);
      const answers = await Promise.all(ids.map((id) => multibox.add({ id, url: `rtsp://${address}${id}` })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      // Each gets its chance.
      const untried = async (): Promise<number> =>
        (await multibox.streams()).filter(({ id, error }) => id !== "live" && !error).length;
      while ((await untried()) > 0) await new Promise((resolve) => setTimeout(resolve, 200));
      over.abort();
      await counting;
      expect(most).toBeLessThan(40);
      expect(isRunning(running!)).toBe(true);
      expect((await multibox.streams()).find(({ id }) => id === "live")).toMatchObject({ state: "live" });
    });
  } finally {
    server.close();
  }
});

describe("an exception that nothing catches", () => {
  const THROW = `
    const fail = () => { throw new Error("injected at rtsp://me:s3cret@camera/x"); };
    const reject = () => void Promise.reject(new Error("injected rejection"));
    process.on("SIGUSR2", () => setTimeout(process.env.HOW === "reject" ? reject : fail));
    const soon = () => process.listenerCount("uncaughtException") > 0 ? fail() : void setTimeout(soon, 20);
    if (process.env.AT_ONCE && process.argv[2] === process.env.AT_ONCE) soon();
  `;
  const injected = (): Record<string, string> => {
    const path = join(folder, "throw.mjs");
    writeFileSync(path, THROW);
    return { NODE_OPTIONS: `--import=${pathToFileURL(path).href}` };
  };

  test.each(["throw", "reject"])("ends a server in good order and with code 1 (%s)", async (how) => {
    const multibox = await startMultibox(args(), { ...injected(), HOW: how });
    try {
      await addClip(multibox, "cam");
      const children = childrenOf(multibox.pid);
      const client = await multibox.connect("cam");
      const { code, stderr } = await multibox.stop("SIGUSR2");
      expect(code).toBe(1);
      expect(stderr).toContain("injected");
      expect(stderr).not.toContain("s3cret");
      await until(() => children.every((pid) => !isRunning(pid)));
      await until(() => client.socket.readyState === client.socket.CLOSED);
    } finally {
      await multibox.stop("SIGKILL");
    }
  });

  test("ends a command with code 1 and a sentence, and its ffmpeg with it", async () => {
    const out = join(folder, "out.jsonl");
    const env = { ...injected(), AT_ONCE: "annotate" };
    const { code, stderr } = await runMultibox(["annotate", clip, "--out", out], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^multibox: INTERNAL: .*report/m);
    expect(stderr).not.toContain("s3cret");
    await until(() => processesWith(out).length === 0);
  });

  test("ends a server that is still starting with code 1", async () => {
    const { exit } = launch(["serve", "--port", "0", "--no-demo"], { ...injected(), AT_ONCE: "serve" });
    const { code, stderr } = await exit;
    expect(code).toBe(1);
    expect(stderr).toContain("injected");
  });
});

/** Every process of a group. */
function inGroup(group: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0)) return false;
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
        return Number(fields[2]) === group;
      } catch {
        return false;
      }
    });
}
