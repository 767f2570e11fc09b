// What the HTTP interface keeps of streams beside the pipeline: the order for pages of lists, and revisions of settings.
import { randomBytes } from "node:crypto";
import { MultiboxError } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { StreamStatus } from "../../pipeline/stream.ts";
import { show } from "../api/explain.ts";
import { tagsIn } from "../api/entity-tag.ts";

interface Entry {
  /** Rises with each stream that is added, so that a page can go on where the last one ended, whatever was removed since. */
  readonly place: number;
  /** Rises with each change of the settings. */
  readonly revision: number;
}

export class StreamRegister {
  readonly #pipeline: Pick<Pipeline, "list">;
  /** Places and revisions begin anew with each run of the server, so those of another run are told by it. */
  readonly #run = randomBytes(4).toString("hex");
  readonly #entries = new Map<string, Entry>();
  #next = 0;

  constructor(pipeline: Pick<Pipeline, "list" | "configs" | "removed">) {
    this.#pipeline = pipeline;
    for (const { config } of pipeline.list()) this.#touch(config.id);
    pipeline.configs.subscribe(({ id }) => this.#touch(id));
    pipeline.removed.subscribe((id) => this.#entries.delete(id));
  }

  /** Of a stream's settings as they are now. */
  revision(id: string): string {
    return `${this.#run}.${this.#place(id)}.${this.#entries.get(id)?.revision ?? 0}`;
  }

  /**
   * Fails with STREAM_CHANGED where If-Match names none but older revisions. What a stream's tag has after the revision,
   * of its counts, changes with every frame and is not looked at.
   */
  checkMatch(id: string, ifMatch: string | undefined): void {
    if (ifMatch === undefined || ifMatch.trim() === "*") return;
    if (tagsIn(ifMatch).some((tag) => tag.split("-", 1)[0] === this.revision(id))) return;
    throw new MultiboxError(
      "STREAM_CHANGED",
      `The settings of the stream "${id}" have been changed since the answer that If-Match names.`,
      "Look at it again, and send the change with its new ETag.",
    );
  }

  /** Up to `limit` streams after a cursor, and the cursor for more. Fails with BAD_REQUEST for a cursor of another run. */
  page(
    limit: number,
    cursor: string | undefined,
    isSeen: (id: string) => boolean,
  ): { streams: StreamStatus[]; next: string | undefined } {
    const after = cursor === undefined ? -1 : this.#placeIn(cursor);
    const rest = this.#pipeline.list().filter(({ config: { id } }) => isSeen(id) && this.#place(id) > after);
    const streams = rest.slice(0, limit);
    const last = streams.at(-1);
    return { streams, next: last && rest.length > limit ? `${this.#run}.${this.#place(last.config.id)}` : undefined };
  }

  #placeIn(cursor: string): number {
    const [run, place] = cursor.split(".", 2);
    if (run === this.#run && /^\d{1,15}$/.test(place ?? "")) return Number(place);
    const sentence = `"cursor" cannot be ${show(cursor)}: it is not one that this server has given since it started.`;
    throw new MultiboxError("BAD_REQUEST", sentence, "Begin again without it.");
  }

  #place(id: string): number {
    return (this.#entries.get(id) ?? this.#touch(id)).place;
  }

  #touch(id: string): Entry {
    const before = this.#entries.get(id);
    const entry = { place: before?.place ?? this.#next++, revision: (before?.revision ?? 0) + 1 };
    this.#entries.set(id, entry);
    return entry;
  }
}
