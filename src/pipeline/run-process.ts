// The one place that starts child processes: each in a group of its own that ends as a whole, with bounded lines, memory and environment.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { finished, type Readable, type Writable } from "node:stream";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import type { Guard } from "./guard.ts";
import { lineReader } from "./line-reader.ts";
import { memoryProbe } from "./process-memory.ts";

export interface ProcessRun {
  readonly program: string;
  readonly args: readonly string[];
  /** All of it; see child-environment.ts. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** Given to its standard input, which is empty when absent. */
  readonly input?: Readable | undefined;
  /** Where its standard output goes, at the pace that it is taken, or each line of it; nowhere when absent. */
  readonly output?: Writable | ((line: string) => void) | undefined;
  /** Each line of its standard error, cut off after 4 KiB. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Takes it along when this process ends in any way. */
  readonly guard?: Guard | undefined;
  /** Whether it gives way to everything else on the machine. */
  readonly background?: boolean;
  /** Above this many resident bytes of its whole group it is killed; Linux only. */
  readonly maxBytes?: number | undefined;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was killed because it used more than `maxBytes`. */
  readonly tooLarge: boolean;
}

export interface RunningProcess {
  /**
   * Resolves when the process is gone and all its output was taken. Rejects with PROCESS_NOT_STARTED, whose cause has the
   * system's code, or with what a listener of its lines has thrown.
   */
  readonly done: Promise<ProcessExit>;
  /** Sends the signal to the whole group; nothing happens when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Asks the whole group to end, and kills it after `graceMs`, 2 s when absent. Idempotent. */
  stop(graceMs?: number): void;
}

/** How long a process may take to end when it is asked to. ffmpeg ignores that while its input is stalled. */
const GRACE_MS = 2000;
/** Once a killed process is gone, only one that has left its group can keep its pipes open; those are not waited for. */
const PIPES_MS = 2000;
const MEMORY_EVERY_MS = 250;
const MAX_LINE_BYTES = 4096;
/** Lines of output are data: a JSON event with all that a training run reports. */
const MAX_OUTPUT_LINE_BYTES = 4 * 1024 * 1024;

/** Never throws: what goes wrong rejects `done`. */
export function runProcess(run: ProcessRun): RunningProcess {
  const child = start(run);
  if (child instanceof MultiboxError) {
    return { done: Promise.reject(child), kill: () => undefined, stop: () => undefined };
  }
  return new Group(child, run);
}

/** At the limit of descriptors a child has neither an id nor pipes; other failures are thrown, and none says so the same way. */
function start({ program, args, env, cwd, input, output }: ProcessRun): ChildProcess | MultiboxError {
  try {
    return spawn(program, [...args], {
      cwd,
      env,
      windowsHide: true,
      // On Windows it would open a console of its own.
      detached: process.platform !== "win32",
      stdio: [input ? "pipe" : "ignore", output ? "pipe" : "ignore", "pipe"],
    });
  } catch (error) {
    return notStarted(program, error);
  }
}

class Group implements RunningProcess {
  readonly done: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #run: ProcessRun;
  #killed = false;
  #gone = false;
  #tooLarge = false;
  /** What a listener of its lines has thrown. */
  #failure: { readonly cause: unknown } | undefined;
  #force: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, run: ProcessRun) {
    this.#child = child;
    this.#run = run;
    this.done = child.pid === undefined ? this.#failed() : this.#follow(child.pid);
  }

  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#gone) return;
    this.#killed = true;
    signalGroup(pid, signal);
  }

  stop(graceMs = GRACE_MS): void {
    if (this.#gone || this.#force) return;
    this.kill("SIGTERM");
    this.#force = setTimeout(() => this.kill("SIGKILL"), graceMs);
  }

  #failed(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#child.once("error", (error) => reject(notStarted(this.#run.program, error)));
    });
  }

  async #follow(pid: number): Promise<ProcessExit> {
    const child = this.#child;
    const { guard, background, maxBytes } = this.#run;
    const unwatch = guard?.watch(pid);
    if (background) giveWay(pid);
    if (maxBytes !== undefined) this.#weigh(pid, maxBytes);
    // A signal that cannot be sent; whether it has ended is known by 'exit' alone.
    child.on("error", () => undefined);
    const pipes = [this.#takeErrors(), this.#takeOutput(), this.#giveInput()];
    const exit = await new Promise<Omit<ProcessExit, "tooLarge">>((resolve) => {
      child.once("exit", (code, signal) => {
        this.#gone = true;
        // What a wrapper has left behind has nobody who waits for it.
        signalGroup(pid, "SIGKILL");
        unwatch?.();
        clearTimeout(this.#force);
        clearInterval(this.#watching);
        resolve({ code, signal });
      });
    });
    await this.#drained(pipes);
    if (this.#failure) throw this.#failure.cause;
    return { ...exit, tooLarge: this.#tooLarge };
  }

  /** What is in the pipes still counts, unless the process was killed and something outside of its group keeps them open. */
  async #drained(pipes: readonly Promise<void>[]): Promise<void> {
    const all = Promise.all(pipes);
    if (!this.#killed) {
      await all;
      return;
    }
    const { stdout, stderr } = this.#child;
    const timer = setTimeout(() => {
      stdout?.destroy();
      stderr?.destroy();
    }, PIPES_MS);
    await all;
    clearTimeout(timer);
  }

  #takeErrors(): Promise<void> {
    const { stderr } = this.#child;
    return stderr ? takeLines(stderr, MAX_LINE_BYTES, this.#guarded(this.#run.onLine)) : Promise.resolve();
  }

  #takeOutput(): Promise<void> {
    const { stdout } = this.#child;
    const { output } = this.#run;
    if (!stdout || !output) return Promise.resolve();
    if (typeof output === "function") return takeLines(stdout, MAX_OUTPUT_LINE_BYTES, this.#guarded(output));
    return new Promise((resolve) => {
      stdout.pipe(output);
      stdout.on("error", () => output.end());
      // `pipe` ends what it writes to at the end of a pipe, but not when that was closed before.
      stdout.once("close", () => output.writableEnded || output.end());
      finished(output, { readable: false }, (error) => {
        // Who cannot take more must not hold up a process that writes.
        if (error) this.kill("SIGKILL");
        stdout.unpipe(output);
        stdout.resume();
        resolve();
      });
    });
  }

  /** What a listener throws fails its own process, and nothing else. */
  #guarded(onLine: (line: string) => void = () => undefined): (line: string) => void {
    return (line) => {
      if (this.#failure) return;
      try {
        onLine(line);
      } catch (cause) {
        this.#failure = { cause };
        this.kill("SIGKILL");
      }
    };
  }

  /** Not waited for: a process need not read what it is given. */
  #giveInput(): Promise<void> {
    const { stdin } = this.#child;
    const { input } = this.#run;
    if (stdin && input) {
      stdin.on("error", () => undefined);
      input.on("error", () => stdin.destroy());
      input.pipe(stdin);
    }
    return Promise.resolve();
  }

  /**
   * Measured, and not limited by the system: an address space says little of what is used, above all with many threads or a GPU's
   * driver, and a program that is refused memory fails in ways of its own.
   */
  #weigh(pid: number, maxBytes: number): void {
    const probe = memoryProbe(pid);
    this.#watching = setInterval(() => {
      if ((probe.bytes() ?? 0) <= maxBytes) return;
      this.#tooLarge = true;
      this.kill("SIGKILL");
    }, MEMORY_EVERY_MS);
  }
}

function takeLines(from: Readable, maxBytes: number, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const lines = lineReader(maxBytes, onLine);
    from.on("data", (chunk: Buffer) => lines.push(chunk));
    from.on("error", () => undefined);
    from.once("close", () => {
      lines.end();
      resolve();
    });
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // There is none any more.
  }
}

/** The lowest priority, at once: Linux counts it by thread, and those that the child starts later have that of its first one. */
function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
    // Linux may weigh sessions against each other before it looks at priorities, and the group has one of its own.
    if (process.platform === "linux") writeFileSync(`/proc/${pid}/autogroup`, `${constants.priority.PRIORITY_LOW}`);
  } catch {
    // It has ended already, or the system does not let us or has no such thing: it works all the same.
  }
}

/** Not the system's own sentence, which repeats all arguments with their passwords. */
function notStarted(program: string, cause: unknown): MultiboxError {
  const code = systemCode(cause);
  const [why, hint] = (code !== undefined && REASONS[code]) || [redacted(cause), ""];
  return new MultiboxError("PROCESS_NOT_STARTED", `${program} could not be started: ${why}.`, hint, { cause });
}

const FEWER =
  "Close what has many files or processes open, or raise the limits of the user (`ulimit -n`, `ulimit -u`).";
const REASONS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ["there is no such program (ENOENT)", ""],
  EACCES: ["this user may not run it (EACCES)", ""],
  EMFILE: ["too many files are open (EMFILE)", FEWER],
  ENFILE: ["too many files are open on the machine (ENFILE)", FEWER],
  EAGAIN: ["too many processes run (EAGAIN)", FEWER],
  ENOMEM: ["there is not enough memory (ENOMEM)", "Free some memory, or run fewer streams."],
  E2BIG: ["its arguments are too long (E2BIG)", ""],
  ERR_INVALID_ARG_VALUE: ["an argument contains a NUL character", ""],
};

function redacted(cause: unknown): string {
  return systemCode(cause) ?? sentenceOf(cause).split("\n", 1)[0]!.slice(0, 80);
}
