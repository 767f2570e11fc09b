// The guard against real processes and a real kill -9.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { createGuard } from "../../src/pipeline/guard.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { isRunning, until } from "../support/processes.ts";

const sleeper = (): ChildProcess => spawn("sleep", ["1000"], { stdio: "ignore" });

/** A server of its own: watches two processes, of which one ends in time, and tells all ids. */
const SERVER = `
import { spawn } from "node:child_process";
import { createGuard } from ${JSON.stringify(new URL("../../src/pipeline/guard.ts", import.meta.url).href)};
const guard = createGuard();
const [kept, ended] = [0, 1].map(() => spawn("sleep", ["1000"], { stdio: "ignore", detached: true }));
guard.watch(kept.pid);
const unwatch = guard.watch(ended.pid);
// Stopped, it cannot meet a broken pipe or a signal that it could handle, like an ffmpeg whose camera is silent.
kept.kill("SIGSTOP");
ended.once("exit", () => {
  unwatch();
  console.log(JSON.stringify({ kept: kept.pid, ended: ended.pid, guard: guard.pid }));
});
ended.kill();
setInterval(() => {}, 1000);
`;

/** Hang-up, interrupt and termination: the first, second and fifteenth bit of what the kernel says is ignored. */
function ignoresSignals(pid: number): boolean {
  const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (Number.parseInt(mask!, 16) & 0x4003) === 0x4003;
}

test.each(["SIGKILL", "SIGTERM"] as const)("no child outlives a server that gets %s", async (signal) => {
  const folder = await makeFolder();
  const script = join(folder.path, "server.mts");
  await writeFile(script, SERVER);
  const server = spawn(process.execPath, ["--import", "tsx", script], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(createInterface(server.stdout), "line")) as [string];
    const pids = JSON.parse(line) as { kept: number; ended: number; guard: number };
    expect(isRunning(pids.kept)).toBe(true);
    expect(isRunning(pids.guard)).toBe(true);
    // The server may say so before the shell has come to its first line.
    await until(() => ignoresSignals(pids.guard));
    // A Ctrl-C or a hang-up that reaches the guard first does not end it.
    for (const rude of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pids.guard, rude);
    server.kill(signal);
    await until(() => !isRunning(pids.kept) && !isRunning(pids.guard));
  } finally {
    server.kill("SIGKILL");
    await folder.remove();
  }
});

test("the guard ends when there is nothing left to watch, and starts again when there is", async () => {
  const guard = createGuard();
  const children = [sleeper(), sleeper()];
  try {
    const unwatch = children.map((child) => guard.watch(child.pid!));
    const first = guard.pid!;
    expect(isRunning(first)).toBe(true);
    unwatch[0]!();
    expect(guard.pid).toBe(first);
    unwatch[1]!();
    unwatch[1]!();
    await until(() => !isRunning(first));
    expect(children.every((child) => isRunning(child.pid!))).toBe(true);
    const again = guard.watch(children[0]!.pid!);
    expect(guard.pid).not.toBe(first);
    again();
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});

test("a guard that was killed is replaced at the next occasion, with all that it watched", async () => {
  const guard = createGuard();
  const children = [sleeper(), sleeper()];
  try {
    const unwatchFirst = guard.watch(children[0]!.pid!);
    process.kill(guard.pid!, "SIGKILL");
    await until(() => guard.pid === undefined);
    const unwatchSecond = guard.watch(children[1]!.pid!);
    expect(isRunning(guard.pid!)).toBe(true);
    unwatchFirst();
    expect(isRunning(guard.pid!)).toBe(true);
    unwatchSecond();
    expect(guard.pid).toBeUndefined();
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});

test("on Windows, where there is no sh, nothing is started", () => {
  const guard = createGuard("win32");
  guard.watch(process.pid)();
  expect(guard.pid).toBeUndefined();
});
