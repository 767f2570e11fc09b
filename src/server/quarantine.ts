// What lies in the data folder and belongs to nothing that is known: moved aside and named in the log, never deleted.
import { lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join, relative } from "node:path";
import type { Logger } from "pino";
import { sentenceOf, systemCode } from "../errors.ts";

export interface QuarantineOptions {
  readonly dataDir: string;
  readonly logger: Pick<Logger, "warn" | "error">;
  /** Milliseconds since the epoch, for the name of the folder. */
  readonly now: () => number;
}

/** How many names a line of the log has. */
const NAMED = 10;

export class Quarantine {
  readonly #options: QuarantineOptions;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** `quarantine` in the data folder. */
  get folder(): string {
    return join(this.#options.dataDir, "quarantine");
  }

  /**
   * Moves files and folders to a folder of their own, where they keep their paths within the data folder. What cannot be moved stays where
   * it is. `why`, for the log: `has no record in multibox.db`.
   */
  take(paths: readonly string[], why: string): void {
    if (paths.length === 0) return;
    const { dataDir, logger } = this.#options;
    const names = paths.map((path) => relative(dataDir, path));
    const listed =
      names.slice(0, NAMED).join(", ") + (names.length > NAMED ? `, and ${names.length - NAMED} more` : "");
    try {
      const place = this.#freePlace();
      for (const [i, path] of paths.entries()) {
        const target = join(place, names[i]!);
        mkdirSync(join(target, ".."), { recursive: true, mode: 0o700 });
        renameSync(path, target);
      }
      logger.warn(
        { quarantine: place, count: paths.length },
        `What ${why} was moved to ${place}: ${listed}. It may be yours: put a newer copy of the database back, move it back with the server stopped, or delete it.`,
      );
    } catch (error) {
      logger.error({ count: paths.length }, `What ${why} could not be moved away: ${listed}. ${sentenceOf(error)}`);
    }
  }

  /** Its size goes into the log with each start, because nothing is ever deleted from it by itself. */
  report(): void {
    try {
      const count = readdirSync(this.folder).length;
      const megabytes = (bytesOf(this.folder) / 1e6).toFixed(1);
      if (count > 0)
        this.#options.logger.warn(
          `${this.folder} has ${megabytes} MB that belong to nothing in this data folder. Delete what you do not need.`,
        );
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.#options.logger.warn(`The quarantine: ${sentenceOf(error)}`);
    }
  }

  /** Named after the day; the second of a day has a number. */
  #freePlace(): string {
    const day = new Date(this.#options.now()).toISOString().slice(0, 10);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    for (let n = 1; ; n++) {
      const place = join(this.folder, `${day}-${n}`);
      try {
        mkdirSync(place, { mode: 0o700 });
        return place;
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
    }
  }
}

function bytesOf(path: string): number {
  const found = lstatSync(path);
  if (!found.isDirectory()) return found.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}
