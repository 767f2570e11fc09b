// Runs ffmpeg: the only file that knows fluent-ffmpeg, which makes the arguments; run-process.ts runs it.
import { Readable, type Writable } from "node:stream";
import fluent from "fluent-ffmpeg";
import { MultiboxError, systemCode } from "../errors.ts";
import { toolEnvironment } from "./child-environment.ts";
import { isRepeated, messagesOf } from "./ffmpeg-lines.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { createGuard, type Guard } from "./guard.ts";
import { openRawPipe, type Intake } from "./raw-pipe.ts";
import { runProcess, type RunningProcess } from "./run-process.ts";
import { redactText } from "../redact.ts";

/** One run of ffmpeg. Options are arguments, one string each, and are never split or quoted. */
export interface FfmpegRun {
  readonly ffmpeg: Ffmpeg;
  readonly inputs: readonly FfmpegInput[];
  readonly outputOptions: readonly string[];
  /** A file that is overwritten; or where the bytes of ffmpeg's output go, at the pace that it takes them. */
  readonly output: string | Writable | RawOutput;
  /** Each line of stderr, without passwords, as `[demuxer @ 0x1] [error] text`, cut off after 4 KiB. */
  readonly onLine?: (line: string) => void;
  readonly guard?: Guard;
  /** Most resident memory in MiB, above which it is killed; 4096 when absent. */
  readonly maxMemoryMb?: number;
}

export interface FfmpegInput {
  /** A stream is given to ffmpeg's standard input. */
  readonly url: string | Readable;
  readonly options?: readonly string[];
  /**
   * Given to ffmpeg's standard input in place of the URL, which it names: arguments can be read by every user of the
   * machine. The URL is what is kept out of what ffmpeg says.
   */
  readonly script?: string;
}

/** Takes bytes of a raw pipe, or where there is none, of a stream. */
export interface RawOutput {
  readonly intake: Intake;
  readonly writable: Writable;
}

/** How a run ended. A code of 0 says little: a camera that hangs up is a success to ffmpeg. */
export interface FfmpegExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of stderr, without passwords. */
  readonly stderrTail: readonly string[];
  /** It was killed because it used more memory than it may, in MiB. */
  readonly tooLargeMb?: number;
}

export interface FfmpegHandle {
  /** Resolves when the process is gone and all its output was taken; rejects if it never started. */
  readonly done: Promise<FfmpegExit>;
  /** Sends the signal; one that comes before the process does is kept for it, one that comes after does nothing. */
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it after two seconds; the same before it has started, and nothing after. */
  stop(): void;
}

const TAIL_LINES = 20;
const MAX_MEMORY_MB = 4096;
const MIB = 1024 * 1024;

export function runFfmpeg(run: FfmpegRun): FfmpegHandle {
  const { ffmpeg, inputs, output, guard = createGuard(), maxMemoryMb = MAX_MEMORY_MB } = run;
  const redact = (text: string): string =>
    inputs.reduce((clear, { url }) => (typeof url === "string" ? redactText(clear, url) : clear), text);
  const stderrTail: string[] = [];
  let running: RunningProcess | undefined;
  /** What was asked for before there was a process. */
  let early: ((process: RunningProcess) => void) | undefined;

  const onLine = (line: string): void => {
    for (const message of messagesOf(redact(line))) {
      if (!isRepeated(message)) stderrTail.push(message);
      if (stderrTail.length > TAIL_LINES) stderrTail.shift();
      run.onLine?.(message);
    }
  };
  const start = async (to: string | Writable): Promise<FfmpegExit> => {
    running = runProcess({
      program: ffmpeg.path,
      args: argumentsOf(run, typeof to === "string" ? to : "pipe:1"),
      env: toolEnvironment(),
      input: givenTo(inputs),
      output: typeof to === "string" ? undefined : to,
      onLine,
      guard,
      maxBytes: maxMemoryMb * MIB,
    });
    early?.(running);
    const { code, signal, tooLarge } = await running.done.catch(notStarted);
    if (!tooLarge) return { code, signal, stderrTail };
    stderrTail.push(`[fatal] it used more than ${maxMemoryMb} MiB of memory and was stopped`);
    return { code, signal, stderrTail, tooLargeMb: maxMemoryMb };
  };
  const open = async (raw: RawOutput): Promise<FfmpegExit> => {
    const pipe = await openRawPipe(raw.intake);
    if (!pipe) return await start(raw.writable);
    let wasKilled = false;
    try {
      const exit = await start(pipe.path);
      wasKilled = exit.signal !== null;
      return exit;
    } finally {
      pipe.close();
      await (wasKilled ? pipe.ended() : pipe.done);
    }
  };
  const act = (action: (process: RunningProcess) => void): void => {
    if (running) action(running);
    else early = action;
  };

  return {
    done: typeof output === "object" && "intake" in output ? open(output) : start(output),
    kill: (signal) => act((process) => process.kill(signal)),
    stop: () => act((process) => process.stop()),
  };
}

/** Runs ffmpeg to the end; FFMPEG_FAILED with its last line when it does not succeed. */
export async function runFfmpegToFile(run: FfmpegRun & { readonly output: string }): Promise<void> {
  const { code, stderrTail } = await runFfmpeg(run).done;
  if (code === 0) return;
  const last = stderrTail.findLast((line) => /\[(error|fatal)\]/.test(line)) ?? stderrTail.at(-1) ?? "it said nothing";
  throw new MultiboxError("FFMPEG_FAILED", `ffmpeg could not write ${run.output}: ${last}`);
}

/** No keyboard, no statistics, and every line with its level, so that errors can be told from news. */
const GLOBAL_OPTIONS = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+info"];

/** `run` of fluent-ffmpeg is not used: it throws where a process cannot be started, and its lines have no bound. */
function argumentsOf({ inputs, outputOptions }: FfmpegRun, target: string): string[] {
  const command = fluent();
  for (const [index, { url, script, options = [] }] of inputs.entries()) {
    command.input(script === undefined && typeof url === "string" ? url : "pipe:0");
    // As arguments, not as a list: fluent-ffmpeg splits a list's strings at their blanks.
    command.inputOptions(...(index === 0 ? GLOBAL_OPTIONS : []), ...options);
  }
  command.output(target).outputOptions(...outputOptions);
  // Its own method, which its types do not have.
  return (command as unknown as { _getArguments(): string[] })._getArguments();
}

function givenTo(inputs: readonly FfmpegInput[]): Readable | undefined {
  for (const { url, script } of inputs) {
    if (script !== undefined) return Readable.from([script]);
    if (typeof url !== "string") return url;
  }
  return undefined;
}

/** Anything but a missing program is a lack of processes or open files, and not of an ffmpeg. */
function notStarted(error: unknown): never {
  if (!(error instanceof MultiboxError)) throw error;
  const isMissing = /^(?:ENOENT|EACCES)$/.test(systemCode(error.cause) ?? "");
  throw new MultiboxError(isMissing ? "FFMPEG_MISSING" : "FFMPEG_FAILED", error.message, error.hint, { cause: error });
}
