// Reads the settings' file again, on SIGHUP and when it has changed, and says what has come of it.
import { readFile } from "node:fs/promises";
import { unwatchFile, watchFile } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { MultiboxError, sentenceOf } from "../errors.ts";
import type { Matched } from "../server/streams/configured-streams.ts";

export interface ReloadOptions {
  readonly file: string;
  /** All settings, with flags and the environment over the file as at the start. */
  readonly load: () => Promise<Config>;
  /** The settings in force; those that can change while the server runs are written into it. */
  readonly config: Config;
  readonly match: (streams: Config["streams"]) => Promise<Matched>;
  readonly logger: Logger;
}

/** What takes effect at once; everything else waits for the next start. */
const LIVE = ["streams", "fileRoots", "logLevel"] as const;

/**
 * The file is looked at every second: unlike the system's notices that sees editors which put a new file in its place,
 * links, mounts and network folders alike.
 */
const LOOK_MS = 1000;
/** A file that was just changed may be half written. */
const SETTLE_MS = 200;

/** Until the returned function is called. A file that is not right is refused whole, and nothing changes. */
export function reloadOnChange(options: ReloadOptions): () => Promise<unknown> {
  const { file, load, config, logger } = options;
  let seen = readText(file);
  let last: Promise<unknown> = seen;
  let settling: NodeJS.Timeout | undefined;
  const inTurn = (work: () => Promise<void>): void => {
    last = last.then(work).catch((error: unknown) => {
      if (error instanceof MultiboxError)
        logger.error({ code: error.code }, `the settings stay as they are: ${error.toString()}`);
      else logger.error({ err: error }, "the settings could not be read again");
    });
  };
  const onHangUp = (): void => inTurn(() => reload(options));
  const onChange = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      inTurn(async () => {
        const before = await seen;
        seen = readText(file);
        if ((await seen) !== before) await reload(options);
      });
    }, SETTLE_MS).unref();
  };
  // Opening a model may have taken minutes, since the settings were read.
  inTurn(async () => {
    if (!isDeepStrictEqual(await load(), config)) await reload(options);
  });
  watchFile(file, { interval: LOOK_MS, persistent: false }, onChange);
  process.on("SIGHUP", onHangUp);
  return () => {
    unwatchFile(file, onChange);
    process.off("SIGHUP", onHangUp);
    clearTimeout(settling);
    return last;
  };
}

async function reload({ file, load, config, match, logger }: ReloadOptions): Promise<void> {
  const next = await load();
  const waiting = (Object.keys({ ...config, ...next }) as (keyof Config)[]).filter(
    (name) => !LIVE.some((live) => live === name) && !isDeepStrictEqual(config[name], next[name]),
  );
  for (const name of LIVE) Object.assign(config, { [name]: next[name] });
  const { added, changed, removed } = await match(next.streams);
  logger.level = config.logLevel;
  const done = { added, changed, removed };
  const what = Object.entries(done).flatMap(([how, ids]) => (ids.length > 0 ? [`${how} ${ids.join(", ")}`] : []));
  logger.info(done, `${file} was read again: ${what.length > 0 ? what.join("; ") : "streams are as they were"}`);
  if (waiting.length === 0) return;
  logger.warn({ settings: waiting }, `changed, but only from the next start on: ${waiting.join(", ")}`);
}

/** Of a file that cannot be read, why: that is a change too, and the reading of the settings will say it. */
function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(sentenceOf);
}
