// The pipe that ffmpeg writes to, with real processes at its other end.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { openRawPipe, type Intake, type RawPipe } from "../../src/pipeline/raw-pipe.ts";

/** Lets its data out to the pipe, and closes the pipe behind itself, as ffmpeg's runner does. */
function write(pipe: RawPipe, data: Buffer): void {
  const child = spawn("sh", ["-c", `cat > ${pipe.path}`], { stdio: ["pipe", "ignore", "ignore"] });
  child.on("exit", () => pipe.close());
  child.stdin.end(data);
}

/** Takes bytes to rooms of so many, and stops after each so often. */
function taker(
  size: number,
  pauseAfter = Infinity,
): Intake & { readonly taken: Buffer[]; go: (() => void) | undefined } {
  const memory = new Uint8Array(new SharedArrayBuffer(size));
  const self = {
    taken: [] as Buffer[],
    go: undefined as (() => void) | undefined,
    room: () => memory,
    took: (count: number, go: () => void): boolean => {
      self.taken.push(Buffer.from(memory.subarray(0, count)));
      if (self.taken.length % pauseAfter !== 0) return true;
      self.go = go;
      return false;
    },
  };
  return self;
}

describe.skipIf(process.platform !== "linux")("a raw pipe (needs Linux)", () => {
  test.each([1 << 20, 1000])(
    "brings every byte, in order, into rooms of %d, and ends with its writer",
    async (size) => {
      const data = randomBytes(300_001);
      const intake = taker(size);
      const pipe = (await openRawPipe(intake))!;
      write(pipe, data);
      await pipe.done;
      expect(Buffer.concat(intake.taken).equals(data)).toBe(true);
      expect(intake.taken.every(({ length }) => length > 0 && length <= size)).toBe(true);
    },
  );

  test("waits when it is told to, and loses nothing meanwhile, nor when its writer has ended", async () => {
    const data = randomBytes(50_000);
    const intake = taker(4096, 1);
    const pipe = (await openRawPipe(intake))!;
    write(pipe, data);
    const state = { done: false };
    const ended = pipe.done.finally(() => (state.done = true));
    for (let pieces = 0; !state.done; await new Promise((resolve) => setImmediate(resolve))) {
      const { go } = intake;
      intake.go = undefined;
      if (go) pieces += 1;
      // Not one more than it was let go on for.
      expect(intake.taken).toHaveLength(pieces);
      go?.();
    }
    await ended;
    expect(Buffer.concat(intake.taken).equals(data)).toBe(true);
  });

  test("leaves nothing on the disk, and ends when nobody ever wrote to it", async () => {
    const pipe = (await openRawPipe(taker(10)))!;
    const [, name] = /^(.*) \(deleted\)$/.exec(readlinkSync(pipe.path)) ?? [];
    expect(existsSync(dirname(name!))).toBe(false);
    pipe.close();
    pipe.close();
    await expect(pipe.done).resolves.toBeUndefined();
  });
});
