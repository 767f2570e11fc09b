// The server's log, for people or for machines.
import { type Logger, type LoggerOptions, pino, stdSerializers, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../config.ts";
import { redactDeep, redactSecrets } from "../redact.ts";

/** Messages, fields and errors of every logger. */
const WITHOUT_SECRETS: LoggerOptions = {
  hooks: {
    logMethod(args, method) {
      method.apply(
        this,
        args.map((arg: unknown) => (typeof arg === "string" ? redactSecrets(arg) : arg)) as typeof args,
      );
    },
  },
  formatters: { log: (fields) => redactDeep(fields) as Record<string, unknown> },
  serializers: { err: (error: Error) => redactDeep({ ...stdSerializers.err(error) }) },
};

/** Logs go to standard error: JSON lines, or lines for people. */
export function createLogger({ logLevel: level, logFormat }: Pick<Config, "logLevel" | "logFormat">): Logger {
  const options: LoggerOptions = { level, base: null, timestamp: stdTimeFunctions.isoTime, ...WITHOUT_SECRETS };
  const json = logFormat === "json" || (logFormat === "auto" && !process.stderr.isTTY);
  if (json) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" }));
}
