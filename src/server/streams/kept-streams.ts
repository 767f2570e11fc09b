// Streams that were added over the API are there again after a restart; those of the settings are the settings' alone.
import type { Logger } from "pino";
import { Subscription } from "rxjs";
import type { Config } from "../../config.ts";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { isLive, schemeOf, type StreamConfig } from "../../pipeline/stream.ts";
import { allowedFile } from "../access/file-access.ts";
import { StreamId } from "../protocol.ts";
import type { Store } from "../store.ts";
import { type StoredStream, storedStream, streamFault } from "./stored-stream.ts";

export interface KeptStreamsOptions {
  readonly store: Store;
  readonly logger: Logger;
  /**
   * Whether a stream is of the settings (or the demo). Then what is done to it over the API counts until the settings are
   * read again, and a kept one of the same name stands back until they no longer have it.
   */
  readonly isConfigured: (id: string) => boolean;
}

export class KeptStreams {
  readonly #options: KeptStreamsOptions;
  /** What is stored of these stays as it is until they are changed. */
  readonly #faulty = new Set<string>();

  constructor(options: KeptStreamsOptions) {
    this.#options = options;
  }

  /** Those to start, in the order in which they were added. */
  load(config: Pick<Config, "fileRoots">): Promise<StoredStream[]> {
    return this.#read(config, (id) => !this.#options.isConfigured(id));
  }

  /** Those of these ids, whether the settings have such streams or not. */
  behind(config: Pick<Config, "fileRoots">, ids: ReadonlySet<string>): Promise<StoredStream[]> {
    return this.#read(config, (id) => ids.has(id));
  }

  /** Files are checked against today's `fileRoots`. */
  async #read({ fileRoots }: Pick<Config, "fileRoots">, isWanted: (id: string) => boolean): Promise<StoredStream[]> {
    const { store, logger } = this.#options;
    const rows = store.db.prepare("SELECT id, config FROM streams ORDER BY added_at, id").raw().all() as [
      string,
      string,
    ][];
    const streams: StoredStream[] = [];
    for (const [id, json] of rows.filter(([name]) => isWanted(name))) {
      const stream = await checked(storedStream(id, json), fileRoots);
      if (stream.fault) {
        logger.warn({ stream: id }, `the stream ${id} is not started: ${stream.fault.error.toString()}`);
        this.#faulty.add(id);
      }
      // What is not an id cannot be named in a path or a message.
      if (StreamId.safeParse(id).success) streams.push(stream);
    }
    return streams;
  }

  /** Writes down what is added, changed and removed from now on. A file that is played once is done with when it has ended. */
  follow(pipeline: Pick<Pipeline, "configs" | "removed" | "statuses">): Subscription {
    const { isConfigured } = this.#options;
    const subscription = new Subscription();
    subscription.add(
      pipeline.configs.subscribe((config) => {
        if (!isConfigured(config.id) && !this.#faulty.delete(config.id)) this.#put(config);
      }),
    );
    subscription.add(
      pipeline.removed.subscribe((id) => {
        if (!isConfigured(id)) this.#delete(id);
      }),
    );
    subscription.add(
      pipeline.statuses.subscribe(({ config, state, error }) => {
        if (state === "ended" && !error && !isLive(config) && !isConfigured(config.id)) this.#delete(config.id);
      }),
    );
    return subscription;
  }

  #put(config: StreamConfig): void {
    this.#write(
      "INSERT INTO streams VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET config = excluded.config",
      config.id,
      JSON.stringify(config),
      Date.now(),
    );
  }

  #delete(id: string): void {
    this.#write("DELETE FROM streams WHERE id = ?", id);
  }

  /** The stream itself is as it was asked for; that it will not be so after a restart must not go unsaid. */
  #write(sql: string, id: string, ...values: readonly (string | number)[]): void {
    const { store, logger } = this.#options;
    try {
      store.db.prepare(sql).run(id, ...values);
    } catch (error) {
      logger.error({ stream: id }, `the stream ${id} cannot be kept over a restart: ${sentenceOf(error)}`);
    }
  }
}

/** Whether it may still be opened. */
async function checked(stream: StoredStream, fileRoots: readonly string[]): Promise<StoredStream> {
  const { config } = stream;
  if (stream.fault) return stream;
  const scheme = schemeOf(config.url);
  if (scheme === undefined)
    return { config, fault: streamFault(config.id, "its URL has a scheme that is not allowed", ["url"]) };
  if (scheme !== "file") return stream;
  try {
    await allowedFile(config.url, fileRoots).catch(unlessMissing);
    return stream;
  } catch (error) {
    if (error instanceof MultiboxError) return { config, fault: { error, fields: ["url"] } };
    return { config, fault: streamFault(config.id, sentenceOf(error), ["url"]) };
  }
}

/** A file that is not there shows as a stream that failed: its disk may not be mounted yet. */
function unlessMissing(error: unknown): void {
  if (!(error instanceof MultiboxError && error.code === "FILE_NOT_FOUND")) throw error;
}
