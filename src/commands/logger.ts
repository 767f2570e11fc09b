// The server's log, for people or for machines.
import { type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../config.ts";

/** Logs go to standard error: JSON lines, or lines for people. */
export function createLogger({ logLevel: level, logFormat }: Pick<Config, "logLevel" | "logFormat">): Logger {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  const json = logFormat === "json" || (logFormat === "auto" && !process.stderr.isTTY);
  if (json) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" }));
}
