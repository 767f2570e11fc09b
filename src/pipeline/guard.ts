// No ffmpeg outlives the server: a tiny shell that kills what is left of them when the server is gone, however it went.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** Watches over child processes. Costs one `sh` while it watches any, and nothing otherwise. */
export interface Guard {
  /** From now on the process, and its group where it leads one, dies with this one. Call what is returned once it has ended. */
  watch(pid: number): () => void;
  /** The shell's process id while it runs. */
  readonly pid: number | undefined;
}

/*
 * A server that is killed with SIGKILL cannot tidy up, and an ffmpeg that is stalled never meets the broken pipe that
 * would end it. The shell's standard input is a pipe that only this process holds, so the kernel closes it when this
 * process ends in any way at all. `read` and `kill` are built in: nothing has to be started when the machine is in need.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r op pid; do
  case $op in
    +) pids="$pids $pid" ;;
    -) rest=; for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done; pids=$rest ;;
  esac
done
for p in $pids; do kill -9 "-$p" 2>/dev/null || kill -9 "$p" 2>/dev/null; done
`;

const RETRY_MS = 1000;

function startShell(): ChildProcessByStdio<Writable, null, null> | undefined {
  try {
    const stdio = ["pipe", "ignore", "ignore"] as const;
    const child = spawn("/bin/sh", ["-c", SCRIPT], { cwd: "/", env: {}, detached: true, stdio: [...stdio] });
    // Without an id it has no pipe either, and the error comes later.
    if (child.pid !== undefined) return child;
    child.on("error", () => undefined);
  } catch {
    // The same for failures that are thrown.
  }
  return undefined;
}

/** A guard of its own; one is enough for a server. On Windows, where there is no `sh`, it does nothing. */
export function createGuard(platform: NodeJS.Platform = process.platform): Guard {
  const watched = new Set<number>();
  let shell: ChildProcessByStdio<Writable, null, null> | undefined;
  let again: NodeJS.Timeout | undefined;

  const tell = (line: string): void => {
    shell?.stdin.write(`${line}\n`);
  };
  const start = (): void => {
    // A session of its own, so that a Ctrl-C in the terminal does not end it before the server.
    const child = startShell();
    if (!child) {
      retry();
      return;
    }
    const gone = (): void => {
      if (shell !== child) return;
      shell = undefined;
      retry();
    };
    child.on("error", gone).on("exit", gone);
    child.stdin.on("error", gone);
    // Neither the shell nor the pipe to it keeps the server from ending.
    child.unref();
    (child.stdin as unknown as { unref(): void }).unref();
    shell = child;
    for (const pid of watched) tell(`+ ${pid}`);
  };

  /** At the limit of descriptors or processes there is no shell; what is watched meanwhile gets one as soon as there can be. */
  const retry = (): void => {
    again ??= setTimeout(() => {
      again = undefined;
      if (!shell && watched.size > 0) start();
    }, RETRY_MS).unref();
  };

  return {
    get pid(): number | undefined {
      return shell?.pid;
    },
    watch(pid) {
      if (platform === "win32") return () => {};
      watched.add(pid);
      if (shell) tell(`+ ${pid}`);
      else start();
      return () => {
        if (!watched.delete(pid)) return;
        tell(`- ${pid}`);
        if (watched.size > 0) return;
        shell?.stdin.end();
        shell = undefined;
      };
    },
  };
}
