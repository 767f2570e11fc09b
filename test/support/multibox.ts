// The real program, built, as a process of its own: a server that stands until it is stopped, or a command that runs to its end.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NewStream, StreamInfo } from "../../src/server/protocol.ts";
import { testCacheDir } from "./model.ts";
import { SocketClient } from "./socket-client.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `serve --json` prints when it is ready. */
export interface Ready {
  readonly url: string;
  readonly port: number;
  readonly detections: string;
  readonly model: { readonly name: string; readonly version: string };
  readonly engine: string;
  readonly streams: readonly { readonly id: string; readonly url: string }[];
}

export interface Multibox {
  readonly ready: Ready;
  readonly pid: number;
  /** All that was written so far. */
  readonly stdout: string;
  readonly stderr: string;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** `POST /v1/streams`. */
  add(stream: Partial<NewStream>): Promise<Response>;
  streams(): Promise<StreamInfo[]>;
  /** The stream as soon as it is so; the test's own time limit is the limit. */
  streamOnce(id: string, isSo: (stream: StreamInfo) => boolean): Promise<StreamInfo>;
  /** A WebSocket client that has subscribed, if only to nothing yet. */
  connect(...streams: readonly string[]): Promise<SocketClient>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Variables of the server besides this process's own; an undefined one is taken away. */
export type Env = Readonly<Record<string, string | undefined>>;

const CLI = join(import.meta.dirname, "../../dist/cli.js");

/** Runs a command to its end. */
export function runMultibox(args: readonly string[], env: Env = {}, cwd?: string): Promise<Exit> {
  return launch(args, env, cwd).exit;
}

/** Starts `multibox serve` on a free port and waits until it is ready; rejects with what it said when it ends before. */
export async function startMultibox(
  args: readonly string[] = [],
  env: Env = {},
  under: readonly string[] = [],
): Promise<Multibox> {
  const { child, output, exit } = launch(["serve", "--port", "0", "--json", ...args], env, undefined, under);
  const ended = exit.then((how) => {
    throw new Error(`multibox ended before it was ready: ${JSON.stringify(how)}`);
  });
  const line = new Promise<string>((resolve) => {
    child.stdout!.on("data", () => output.stdout.includes("\n") && resolve(output.stdout.split("\n", 1)[0]!));
  });
  const ready = JSON.parse(await Promise.race([line, ended])) as Ready;
  ended.catch(() => undefined);
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, ready.url), init);
  const streams = async (): Promise<StreamInfo[]> => (await (await ask("/v1/streams")).json()) as StreamInfo[];
  return {
    ready,
    pid: child.pid!,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    ask,
    streams,
    add: (stream) =>
      ask("/v1/streams", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(stream),
      }),
    async streamOnce(id, isSo) {
      for (;;) {
        const stream = (await streams()).find((one) => one.id === id);
        if (stream && isSo(stream)) return stream;
        await sleep(50);
      }
    },
    async connect(...wanted) {
      const client = await SocketClient.open(ready.detections);
      if (wanted.length > 0) {
        const { ok, error } = await client.ask({ type: "subscribe", streams: wanted });
        if (!ok) throw new Error(error?.message);
      }
      return client;
    },
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return exit;
    },
  };
}

/** Runs a test against a server of its own, and stops that. */
export async function withMultibox(
  args: readonly string[],
  use: (multibox: Multibox) => Promise<void>,
  env: Env = {},
): Promise<void> {
  const multibox = await startMultibox(args, env);
  try {
    await use(multibox);
  } finally {
    await multibox.stop();
  }
}

/** Starts the program without waiting for anything; `under` is a command that runs it, `prlimit --nofile=256`. */
export function launch(
  args: readonly string[],
  env: Env = {},
  cwd?: string,
  under: readonly string[] = [],
): { child: ChildProcess; output: { stdout: string; stderr: string }; exit: Promise<Exit> } {
  if (!existsSync(CLI)) throw new Error("multibox is not built; `npm run build` builds it.");
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("MULTIBOX_"));
  // A data folder of its own, gone with the process, unless the test keeps one from a process to the next.
  const dataDir = mkdtempSync(join(tmpdir(), "multibox-data-"));
  const folders = { MULTIBOX_CACHE_DIR: testCacheDir(), MULTIBOX_DATA_DIR: dataDir };
  const all = { ...Object.fromEntries(clean), ...folders, ...env };
  const [command = process.execPath, ...rest] = [...under, process.execPath, CLI, ...args];
  const child = spawn(command, rest, { cwd, env: all, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  // A test run that is broken off takes its servers along.
  const kill = (): void => {
    child.kill("SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.once("exit", kill);
  const exit = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      process.off("exit", kill);
      rmSync(dataDir, { recursive: true, force: true });
      resolve({ code, signal, ...output });
    });
  });
  return { child, output, exit };
}

/** By how many frames a stream's books do not close: 0. */
export function gapOf({ counts: { decoded, detected, inFlight, dropped } }: Pick<StreamInfo, "counts">): number {
  return decoded - detected - inFlight - Object.values(dropped).reduce((sum, count) => sum + count, 0);
}
