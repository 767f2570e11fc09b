// Runs ffmpeg: the only file that knows fluent-ffmpeg.
import type { ChildProcess } from "node:child_process";
import { finished, Readable, type Writable } from "node:stream";
import fluent from "fluent-ffmpeg";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";
import { createGuard, type Guard } from "./guard.ts";
import { openRawPipe, type Intake } from "./raw-pipe.ts";
import { redactText } from "../redact.ts";

/** One run of ffmpeg. Options are arguments, one string each, and are never split or quoted. */
export interface FfmpegRun {
  readonly ffmpeg: Ffmpeg;
  readonly inputs: readonly FfmpegInput[];
  readonly outputOptions: readonly string[];
  /** A file that is overwritten; or where the bytes of ffmpeg's output go, at the pace that it takes them. */
  readonly output: string | Writable | RawOutput;
  /** Each line of stderr, without passwords, as `[demuxer @ 0x1] [error] text`. */
  readonly onLine?: (line: string) => void;
  readonly guard?: Guard;
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
}

export interface FfmpegHandle {
  /** Resolves when the process is gone and all its output was taken; rejects if it never started. */
  readonly done: Promise<FfmpegExit>;
  /** Sends the signal; one that comes before the process does is kept for it, one that comes after is nothing. */
  kill(signal: NodeJS.Signals): void;
}

const TAIL_LINES = 20;

export function runFfmpeg(run: FfmpegRun): FfmpegHandle {
  const { ffmpeg, inputs, output, guard = createGuard() } = run;
  const redact = (text: string): string =>
    inputs.reduce((clear, { url }) => (typeof url === "string" ? redactText(clear, url) : clear), text);
  const command = fluent({ stdoutLines: TAIL_LINES }).setFfmpegPath(ffmpeg.path);
  Object.assign(command, UNASKED);
  for (const [index, { url, script, options = [] }] of inputs.entries()) {
    command.input(script === undefined ? url : Readable.from([script]));
    // As arguments, not as a list: fluent-ffmpeg splits a list's strings at their blanks.
    command.inputOptions(...(index === 0 ? GLOBAL_OPTIONS : []), ...options);
  }
  const stderrTail: string[] = [];
  let child: ChildProcess | undefined;
  let early: NodeJS.Signals | undefined;

  command.on("stderr", (line) => {
    if (line.trim() === "") return;
    const clear = redact(line);
    stderrTail.push(clear);
    if (stderrTail.length > TAIL_LINES) stderrTail.shift();
    run.onLine?.(clear);
  });

  const start = (to: string | Writable): Promise<FfmpegExit> =>
    new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        if (child?.pid === undefined) {
          // Anything else is a lack of processes or open files, and not of an ffmpeg.
          const code = /ENOENT|EACCES/.test(systemCode(error) ?? "") ? "FFMPEG_MISSING" : "FFMPEG_FAILED";
          reject(new MultiboxError(code, `ffmpeg (${ffmpeg.path}) could not be started: ${redact(sentenceOf(error))}`));
          return;
        }
        // Asked of the child, and not noted at its 'exit': fluent-ffmpeg hears that before us.
        const answer = { code: child.exitCode, signal: child.signalCode, stderrTail };
        // `open` waits for what is left in a pipe.
        if (typeof to === "string") resolve(answer);
        else finished(to, { readable: false }, () => resolve(answer));
      };
      command.on("start", () => {
        // The process is fluent-ffmpeg's own property; there is no other way to its id.
        child = (command as unknown as { readonly ffmpegProc: ChildProcess }).ffmpegProc;
        // Where a process cannot be spawned, fluent-ffmpeg's own listener throws, and that would end the server.
        child.removeAllListeners("error").on("error", (error) => child?.pid === undefined && settle(error));
        const unwatch = child.pid === undefined ? undefined : guard.watch(child.pid);
        child.once("exit", () => unwatch?.());
        if (early) child.kill(early);
      });
      // A process that failed or was killed gives 'error', any other 'end'; how it went, the child knows.
      command.on("error", settle);
      command.on("end", () => settle());
      if (typeof to === "string") command.output(to);
      else command.output(to, { end: true });
      command.outputOptions(...run.outputOptions);
      command.run();
    });
  const open = async (raw: RawOutput): Promise<FfmpegExit> => {
    const pipe = await openRawPipe(raw.intake);
    if (!pipe) return await start(raw.writable);
    try {
      return await start(pipe.path);
    } finally {
      pipe.close();
      await pipe.done;
    }
  };

  return {
    done: typeof output === "object" && "intake" in output ? open(output) : start(output),
    kill(signal) {
      if (!child) early = signal;
      else if (!hasEnded(child)) child.kill(signal);
    },
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

/**
 * Before its first run fluent-ffmpeg runs ffmpeg twice more to ask which formats and encoders it has, and a tenth of a second of a core goes
 * with it. What ffmpeg lacks it says itself.
 */
const UNASKED = {
  _checkCapabilities: (done: () => void) => done(),
  availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
};

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
