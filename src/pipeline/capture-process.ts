// What a short command prints, for example `ffmpeg -version`: bounded in time and bytes.
import { Writable } from "node:stream";
import { MultiboxError } from "../errors.ts";
import { toolEnvironment } from "./child-environment.ts";
import { runProcess } from "./run-process.ts";

export interface CaptureOptions {
  /** 4 MiB when absent. */
  readonly maxBytes?: number;
  /** 20 s when absent: a slow disk reads a large program. */
  readonly timeoutMs?: number;
}

/** Its standard output. Fails with PROCESS_NOT_STARTED, or PROCESS_FAILED where it fails, prints more or takes longer. */
export async function captureProcess(
  program: string,
  args: readonly string[],
  { maxBytes = 4 * 1024 * 1024, timeoutMs = 20_000 }: CaptureOptions = {},
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let last = "";
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      done(length <= maxBytes ? null : new Error("too long"));
    },
  });
  const onLine = (line: string): void => void (last = line);
  const running = runProcess({ program, args, env: toolEnvironment(), output, onLine });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.stop();
  }, timeoutMs);
  const { code, signal } = await running.done.finally(() => clearTimeout(timer));
  if (code === 0 && !late && length <= maxBytes) return Buffer.concat(chunks);
  const why = late
    ? `did not end within ${timeoutMs / 1000} s`
    : length > maxBytes
      ? `printed more than ${maxBytes} bytes`
      : `ended with ${signal ?? `exit code ${code}`}${last === "" ? "" : `: ${last}`}`;
  throw new MultiboxError("PROCESS_FAILED", `${program} ${why}.`);
}
