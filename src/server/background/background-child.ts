// A command of multibox as a child process that gives way to everything else: its events line by line, its end, no orphan.
import { spawn, type ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import type { Guard } from "../../pipeline/guard.ts";

export interface BackgroundRun {
  /** The program and its arguments: multibox itself, with `--json`. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** Takes it along when this process ends in any way. */
  readonly guard: Guard;
  /** Each line of its standard output that is JSON. */
  readonly onEvent: (event: unknown) => void;
  /** Asks it to end in good order, and makes it after a while. */
  readonly signal: AbortSignal;
}

export interface BackgroundExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it complained with. */
  readonly stderrTail: readonly string[];
}

/** How long it may take to keep what is done when it is asked to end. */
const KILL_AFTER_MS = 5000;
const TAIL_LINES = 10;

/** Resolves when the process is gone and all its events were told. Fails with JOB_NOT_STARTED. */
export async function runInBackground(run: BackgroundRun): Promise<BackgroundExit> {
  const [program, ...args] = run.command as [string, ...string[]];
  const child = spawn(program, args, { cwd: run.cwd, env: quietEnv(), stdio: ["ignore", "pipe", "pipe"] });
  const stderrTail: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    stderrTail.push(line);
    if (stderrTail.length > TAIL_LINES) stderrTail.shift();
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parse(line);
    if (event !== undefined) run.onEvent(event);
  });
  giveWay(child);
  const unwatch = child.pid === undefined ? undefined : run.guard.watch(child.pid);
  const ending = endOn(run.signal, child);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (cause) => {
        const sentence = `The process for it could not be started: ${sentenceOf(cause)}.`;
        reject(new MultiboxError("JOB_NOT_STARTED", sentence, "The machine may lack memory or processes.", { cause }));
      });
      child.once("exit", () => unwatch?.());
      child.once("close", (code, signal) => resolve({ code, signal, stderrTail }));
    });
  } finally {
    ending.off();
  }
}

/** For one that ended without an event: it could not begin, and said why on its last line, or was killed. `what`: it did. */
export function failureOf({ code, signal, stderrTail }: BackgroundExit, what: string): MultiboxError {
  const said = stderrTail.map((line) => /^multibox: ([A-Z_]+): (.*)$/.exec(line)).findLast((found) => found !== null);
  if (said) return new MultiboxError(said[1]!, said[2]!);
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const hint = signal === "SIGKILL" ? "The machine may lack memory." : "The server's log may say more.";
  return new MultiboxError("JOB_DIED", `The process that ${what} was ended ${how}.`, hint);
}

/**
 * The lowest priority, at once: Linux counts it by thread, and those that the child starts later have that of its first one.
 * In the server's own session, because Linux may weigh sessions against each other before it looks at priorities.
 */
function giveWay({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the system does not let us: it works all the same.
  }
}

/** What the server is told by its environment, its token too, is no business of the child: that is told by arguments. */
function quietEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MULTIBOX_|npm_)/.test(name)));
}

function endOn(signal: AbortSignal, child: ChildProcess): { off: () => void } {
  let force: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill("SIGTERM");
    force = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return {
    off: () => {
      clearTimeout(force);
      signal.removeEventListener("abort", end);
    },
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
