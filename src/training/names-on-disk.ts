// Finds a file of a folder by the name that a data set gives it: exactly, else whatever the case and the composition of its letters.

export class NamesOnDisk {
  readonly #exact: ReadonlySet<string>;
  readonly #loose = new Map<string, string[]>();

  constructor(names: readonly string[]) {
    this.#exact = new Set(names);
    for (const name of names) this.#loose.set(loose(name), [...(this.#loose.get(loose(name)) ?? []), name]);
  }

  /** The name as it is on disk; undefined where there is none, or several that differ only in this way. */
  find(name: string): string | undefined {
    if (this.#exact.has(name)) return name;
    const alike = this.#loose.get(loose(name)) ?? [];
    return alike.length === 1 ? alike[0] : undefined;
  }
}

/** macOS stores `é` as two characters, and Windows does not tell `A.JPG` from `a.jpg`. */
function loose(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
