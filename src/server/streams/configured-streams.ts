// The streams of the settings: there from the start, and made to match when the settings are read again.
import { isDeepStrictEqual } from "node:util";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { StreamConfig, StreamPatch } from "../../pipeline/stream.ts";
import type { StoredStream } from "./stored-stream.ts";

/** Ids of streams, by what was done to them. */
export interface Matched {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export class ConfiguredStreams {
  readonly #pipeline: Pipeline;
  readonly #kept: (ids: ReadonlySet<string>) => Promise<readonly StoredStream[]>;
  readonly #ids = new Set<string>();

  /** `kept` gives streams of the API that stood back behind those of the settings, of these ids. */
  constructor(
    pipeline: Pipeline,
    kept: (ids: ReadonlySet<string>) => Promise<readonly StoredStream[]> = () => Promise.resolve([]),
  ) {
    this.#pipeline = pipeline;
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
    const there = new Map(this.#pipeline.list().map(({ config }) => [config.id, config]));
    const removed = [...gone].filter((id) => there.has(id) && !back.some((stream) => stream.id === id));
    await Promise.all(removed.map((id) => this.#pipeline.remove(id)));
    for (const id of gone) this.#ids.delete(id);
    const added: string[] = [];
    const changed: string[] = [];
    for (const id of wanted) this.#ids.add(id);
    for (const stream of [...streams, ...back]) {
      const before = there.get(stream.id);
      if (!before) {
        this.#pipeline.add(stream);
        added.push(stream.id);
      } else if (!isDeepStrictEqual(before, stream)) {
        this.#pipeline.change(stream.id, difference(before, stream));
        changed.push(stream.id);
      }
    }
    return { added, changed, removed };
  }
}

/** The change that makes one stream's settings the other's: what only the first has is taken back. */
function difference(before: StreamConfig, after: StreamConfig): StreamPatch {
  const { id: _, ...patch } = { ...Object.fromEntries(Object.keys(before).map((name) => [name, null])), ...after };
  return patch;
}
