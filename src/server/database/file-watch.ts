// Whether an open file is still the one at its path: a deleted database takes changes that nobody finds again.
import { statSync } from "node:fs";
import { basename } from "node:path";
import type { MultiboxError } from "../../errors.ts";
import { unavailable } from "./store-error.ts";

/** A database and its log. Made right after the database is opened; nothing is checked for one in memory. */
export class FileWatch {
  readonly #path: string;
  /** By path, the identity that each file had when it was first seen. */
  readonly #known = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
    this.failure();
  }

  /** STORE_UNAVAILABLE where a file was deleted or replaced; undefined while all is well. Costs two calls of stat. */
  failure(): MultiboxError | undefined {
    if (this.#path === ":memory:") return undefined;
    for (const path of [this.#path, `${this.#path}-wal`]) {
      const found = identityOf(path);
      const known = this.#known.get(path);
      if (known === undefined && found !== undefined) this.#known.set(path, found);
      if (known === undefined || found === known) continue;
      const how = found === undefined ? "deleted" : "replaced";
      return unavailable(
        basename(this.#path),
        `${path === this.#path ? "it" : "its log, the file that ends in -wal,"} was ${how} while the server runs`,
        "Changes are refused. Put it back, or restart the server.",
      );
    }
    return undefined;
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
