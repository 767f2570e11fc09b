// Child processes: their lines, memory and end, with real ones.
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { captureProcess } from "../../src/pipeline/capture-process.ts";
import { toolEnvironment } from "../../src/pipeline/child-environment.ts";
import { type ProcessRun, runProcess } from "../../src/pipeline/run-process.ts";
import { isRunning, until } from "../support/processes.ts";

const shell = (script: string, more: Partial<ProcessRun> = {}): ProcessRun => ({
  program: "/bin/sh",
  args: ["-c", script],
  env: toolEnvironment(),
  ...more,
});

test("lines are cut off after 4 KiB, and empty ones left out", async () => {
  const lines: string[] = [];
  const script = "printf 'a\\r\\n\\nb\\n' >&2; head -c 9000 /dev/zero | tr '\\0' x >&2; printf '\\nlast' >&2";
  expect(await runProcess(shell(script, { onLine: (line) => lines.push(line) })).done).toEqual({
    code: 0,
    signal: null,
    tooLarge: false,
  });
  expect(lines).toEqual(["a", "b", "x".repeat(4096), "last"]);
});

test("what is stopped ends with its whole group, also where a shell ignores SIGTERM", async () => {
  const pids: number[] = [];
  const script = "trap '' TERM; sleep 1000 & echo $!; sleep 1000 & echo $!; wait; wait";
  const running = runProcess(shell(script, { output: (line) => pids.push(Number(line)) }));
  await until(() => pids.length === 2);
  running.stop(50);
  running.stop(50);
  expect(await running.done).toMatchObject({ code: null, signal: "SIGKILL" });
  await until(() => pids.every((pid) => !isRunning(pid)));
  running.kill("SIGKILL");
});

test("what a shell leaves behind in its group ends with it", async () => {
  const pids: number[] = [];
  await runProcess(shell("sleep 1000 & echo $!", { output: (line) => pids.push(Number(line)) })).done;
  await until(() => !isRunning(pids[0]!));
  expect(pids).toHaveLength(1);
});

test("a process that has left the group and keeps the pipes does not hold up a stop", async () => {
  const pids: number[] = [];
  const script = "setsid sleep 1000 & echo $!; wait";
  const running = runProcess(shell(script, { output: (line) => pids.push(Number(line)) }));
  await until(() => pids.length === 1);
  running.stop();
  expect(await running.done).toHaveProperty("code");
  if (isRunning(pids[0]!)) process.kill(pids[0]!, "SIGKILL");
});

test.skipIf(process.platform !== "linux")(
  "above its memory a process is killed, also behind a shell (needs /proc)",
  async () => {
    const hold = `"${process.execPath}" -e 'const b = Buffer.alloc(2e8, 1); setInterval(() => b, 1e3)'`;
    for (const script of [`exec ${hold}`, `${hold}; exit 0`])
      expect(await runProcess(shell(script, { maxBytes: 1.5e8 })).done).toMatchObject({
        signal: "SIGKILL",
        tooLarge: true,
      });
  },
);

test.each([
  ["an argument with a NUL", { program: "/bin/sh", args: ["rtsp://me:s3cret@x/\0"] }, /an argument contains a NUL/],
  ["a program that is not there", { program: "/nowhere/ffmpeg", args: [] }, /no such program \(ENOENT\)/],
  ["a program that is no program", { program: "/etc/passwd", args: [] }, /may not run it \(EACCES\)/],
  ["arguments that are too long", { program: "/bin/sh", args: ["x".repeat(4e6)] }, /too long \(E2BIG\)/],
])("%s is a sentence, and nothing is thrown", async (_, run, pattern) => {
  const error = await runProcess({ env: {}, ...run }).done.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "PROCESS_NOT_STARTED", message: expect.stringMatching(pattern) as string });
  expect(String(error)).not.toContain("s3cret");
});

test("what a listener of its lines throws fails the process, and nothing else", async () => {
  const onLine = (): void => {
    throw new TypeError("a bug");
  };
  await expect(runProcess(shell("echo x >&2; exec sleep 1000", { onLine })).done).rejects.toThrow("a bug");
  await expect(runProcess(shell("echo x; exec sleep 1000", { output: onLine })).done).rejects.toThrow("a bug");
});

test("an input that fails ends the process's input", async () => {
  const input = new PassThrough();
  const running = runProcess(shell("cat > /dev/null; echo read to the end >&2", { input }));
  input.write("x");
  input.destroy(new Error("gone"));
  expect(await running.done).toMatchObject({ code: 0 });
});

test("a command that does not end, prints too much or fails is a sentence", async () => {
  await expect(captureProcess("/bin/sh", ["-c", "sleep 100"], { timeoutMs: 50 })).rejects.toThrow("did not end");
  await expect(captureProcess("/bin/sh", ["-c", "yes"], { maxBytes: 1000 })).rejects.toThrow("printed more");
  await expect(captureProcess("/bin/sh", ["-c", "echo why >&2; exit 3"])).rejects.toThrow("exit code 3: why");
  expect((await captureProcess("/bin/sh", ["-c", "echo well"])).toString()).toBe("well\n");
});
