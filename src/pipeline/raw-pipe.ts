// A pipe for what ffmpeg decodes: its bytes go at once to where they stay, without a buffer for each piece in between.
import { closeSync, constants, openSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captureProcess } from "./capture-process.ts";

/** Takes bytes as they come, at its own pace. */
export interface Intake {
  /** Where the next bytes go: at least one, and theirs until `took` is called. */
  room(): Uint8Array;
  /** So many came. False: no more shall come until `go` is called, which happens once and never within this call. */
  took(count: number, go: () => void): boolean;
}

export interface RawPipe {
  /** What a child process opens to write to it. */
  readonly path: string;
  /** Resolves when it was closed, all who wrote to it have ended, and all that they wrote was taken. */
  readonly done: Promise<void>;
  /** Nobody will open it any more. */
  close(): void;
  /** The same as `done`, at the latest after two seconds: for a process that was killed, and may have left something behind. */
  ended(): Promise<void>;
}

/**
 * Node's own pipes to its children allocate 64 KiB for whatever comes: at 1080p a gigabyte in ten seconds, and all of it work for the
 * garbage collector and the system's memory management. A named pipe can be read to any place. It has its name for a moment only:
 * /proc leads to it afterwards, so that nothing is left of it however this process ends. Undefined where that does not work.
 */
export async function openRawPipe(intake: Intake): Promise<RawPipe | undefined> {
  if (process.platform !== "linux") return undefined;
  let folder: string | undefined;
  try {
    // A program that was given privileges of its own, to listen on port 80 for example, may not be looked into by its children.
    if (statSync("/proc/self").uid !== process.getuid?.()) return undefined;
    folder = await mkdtemp(join(tmpdir(), "multibox-pipe-"));
    const name = join(folder, "pipe");
    await captureProcess("mkfifo", ["-m", "600", name]);
    return rawPipe(intake, ...openEnds(name));
  } catch {
    return undefined;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** To read and to write. While the second is open, the pipe does not end before ffmpeg has begun to write. */
function openEnds(name: string): [reading: number, writing: number] {
  const reading = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return [reading, openSync(name, constants.O_WRONLY | constants.O_NONBLOCK)];
  } catch (error) {
    // As many files are open as may be.
    closeSync(reading);
    throw error;
  }
}

const ENDED_MS = 2000;

function rawPipe(intake: Intake, reading: number, writing: number): RawPipe {
  let closed = false;
  const options = {
    fd: reading,
    readable: true,
    writable: false,
    onread: {
      buffer: () => intake.room(),
      callback: (count: number) => intake.took(count, () => socket.resume()),
    },
  };
  const socket: Socket = new Socket(options);
  const done = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // Its end is its end, by whatever means: how ffmpeg fared is known from ffmpeg.
  socket.on("error", () => {});
  socket.resume();
  return {
    path: `/proc/${process.pid}/fd/${writing}`,
    done,
    async ended() {
      const timer = setTimeout(() => socket.destroy(), ENDED_MS);
      await done;
      clearTimeout(timer);
    },
    close() {
      if (!closed) closeSync(writing);
      closed = true;
    },
  };
}
