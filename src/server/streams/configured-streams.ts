// The streams of the settings: there from the start, and made to match when the settings are read again.
import { MultiboxError } from "../../errors.ts";
import type { StreamConfig, StreamPatch } from "../../pipeline/stream.ts";
import type { StoredStream } from "./stored-stream.ts";
import type { StreamChanges } from "./stream-changes.ts";

/** Ids of streams, by what was done to them. */
export interface Matched {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export class ConfiguredStreams {
  readonly #changes: Pick<StreamChanges, "set" | "remove">;
  readonly #kept: (ids: ReadonlySet<string>) => Promise<readonly StoredStream[]>;
  readonly #ids = new Set<string>();

  /** `kept` gives streams of the API that stood back behind those of the settings, of these ids. */
  constructor(
    changes: Pick<StreamChanges, "set" | "remove">,
    kept: (ids: ReadonlySet<string>) => Promise<readonly StoredStream[]> = () => Promise.resolve([]),
  ) {
    this.#changes = changes;
    this.#kept = kept;
  }

  /** Whether the settings have such a stream, though it may have been removed over the API since. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * Adds, changes and removes until the streams of the settings are as given, whatever was done to them over the API; a
   * stream of the API that now has the name of one of these becomes it, and comes back when none of these has it any more.
   * Others are left alone, and so is what is right.
   */
  async match(streams: readonly StreamConfig[]): Promise<Matched> {
    const wanted = new Set(streams.map(({ id }) => id));
    const gone = new Set([...this.#ids].filter((id) => !wanted.has(id)));
    const kept = gone.size > 0 ? await this.#kept(gone) : [];
    // One that cannot run as it is stored is added again at the next start, with what is wrong with it.
    const back = kept.flatMap(({ config, fault }) => (fault ? [] : [config]));
    const leaving = [...gone].filter((id) => !back.some((stream) => stream.id === id));
    const outcomes = await Promise.all(leaving.map((id) => this.#remove(id)));
    const removed = leaving.filter((_, i) => outcomes[i]);
    for (const id of gone) this.#ids.delete(id);
    const added: string[] = [];
    const changed: string[] = [];
    for (const id of wanted) this.#ids.add(id);
    for (const stream of [...streams, ...back]) {
      const outcome = await this.#changes.set(stream, (before) => difference(before, stream));
      if (outcome === "added") added.push(stream.id);
      if (outcome === "changed") changed.push(stream.id);
    }
    return { added, changed, removed };
  }

  /** False where it was removed over the API before. */
  async #remove(id: string): Promise<boolean> {
    try {
      await this.#changes.remove(id);
      return true;
    } catch (error) {
      if (error instanceof MultiboxError && error.code === "STREAM_UNKNOWN") return false;
      throw error;
    }
  }
}

/** The change that makes one stream's settings the other's: what only the first has is taken back. */
function difference(before: StreamConfig, after: StreamConfig): StreamPatch {
  const { id: _, ...patch } = { ...Object.fromEntries(Object.keys(before).map((name) => [name, null])), ...after };
  return patch;
}
