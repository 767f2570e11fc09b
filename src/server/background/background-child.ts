// A command of multibox as a child process that gives way to everything else: its events line by line, its end, no orphan.
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { ownEnvironment } from "../../pipeline/child-environment.ts";
import type { Guard } from "../../pipeline/guard.ts";
import { runProcess } from "../../pipeline/run-process.ts";

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
const GRACE_MS = 5000;
const TAIL_LINES = 10;

/** Resolves when the process is gone and all its events were told. Fails with JOB_NOT_STARTED. */
export async function runInBackground(run: BackgroundRun): Promise<BackgroundExit> {
  const [program, ...args] = run.command as [string, ...string[]];
  const stderrTail: string[] = [];
  const child = runProcess({
    program,
    args,
    cwd: run.cwd,
    env: ownEnvironment(),
    guard: run.guard,
    background: true,
    output: (line) => {
      const event = parse(line);
      if (event !== undefined) run.onEvent(event);
    },
    onLine: (line) => {
      stderrTail.push(line);
      if (stderrTail.length > TAIL_LINES) stderrTail.shift();
    },
  });
  const end = (): void => child.stop(GRACE_MS);
  if (run.signal.aborted) end();
  else run.signal.addEventListener("abort", end, { once: true });
  try {
    const { code, signal } = await child.done;
    return { code, signal, stderrTail };
  } catch (cause) {
    const sentence = `The process for it could not be started: ${sentenceOf(cause)}`;
    throw new MultiboxError("JOB_NOT_STARTED", sentence, "", { cause });
  } finally {
    run.signal.removeEventListener("abort", end);
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

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
