// What commands show while they work: a progress bar where there is a terminal, and logs for people or for machines.
import { SingleBar } from "cli-progress";
import { type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../config.ts";

/** A bar on the terminal; nothing where standard error is no terminal. `stop` is idempotent. */
export interface Progress {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

export function downloadProgress(what: string): Progress {
  return progressBar(
    (total) => `${what} [{bar}] {percentage}% of ${(total / 1e6).toFixed(1)} MB, {eta_formatted} left`,
  );
}

export function pictureProgress(): Progress {
  return progressBar(() => "[{bar}] {value} of {total} pictures, {eta_formatted} left");
}

function progressBar(format: (total: number) => string): Progress {
  let bar: SingleBar | undefined;
  return {
    update(done, total) {
      if (!process.stderr.isTTY) return;
      if (!bar) {
        bar = new SingleBar({
          format: format(total),
          barCompleteChar: "=",
          barIncompleteChar: " ",
          hideCursor: true,
          stream: process.stderr,
        });
        bar.start(total, done);
      }
      bar.update(done);
    },
    stop: () => bar?.stop(),
  };
}

/** Logs go to standard error: JSON lines, or lines for people. */
export function createLogger({ logLevel: level, logFormat }: Pick<Config, "logLevel" | "logFormat">): Logger {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  const json = logFormat === "json" || (logFormat === "auto" && !process.stderr.isTTY);
  if (json) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" }));
}
