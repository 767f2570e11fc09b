// Whether what is at a path is still what was there before: what is written to a deleted or replaced file or folder is not found again.
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { systemCode } from "../errors.ts";

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** An inode's number is given again. Undefined while it is the time of the last change, which some systems report in its place. */
  readonly birth: bigint | undefined;
}

/** A file, or a folder, from the time at which it was first seen. */
export class KnownPath {
  readonly path: string;
  #known: Identity | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether it was ever there. */
  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** `was deleted while the server runs`; undefined while it is as it was, or was never there. Costs one call of stat, which can block. */
  change(): string | undefined {
    try {
      return this.#compare(statSync(this.path, { bigint: true }));
    } catch (error) {
      return this.#missing(error);
    }
  }

  /** The same, for the main thread: a disk that hangs blocks no other request. */
  async changeLater(): Promise<string | undefined> {
    try {
      return this.#compare(await stat(this.path, { bigint: true }));
    } catch (error) {
      return this.#missing(error);
    }
  }

  #compare({ dev, ino, birthtimeNs, ctimeNs }: BigIntStats): string | undefined {
    const found: Identity = { dev, ino, birth: birthtimeNs === ctimeNs ? undefined : birthtimeNs };
    const known = (this.#known ??= found);
    const isOther = (known.birth ?? birthtimeNs) !== birthtimeNs;
    if (known.dev !== dev || known.ino !== ino || isOther) return "was replaced while the server runs";
    this.#known = { ...found, birth: known.birth ?? found.birth };
    return undefined;
  }

  #missing(error: unknown): string | undefined {
    if (!this.#known) return undefined;
    const code = systemCode(error);
    return code === "ENOENT" || code === "ENOTDIR"
      ? "was deleted while the server runs"
      : `cannot be reached (${code ?? "unknown"})`;
  }
}
