// Streams that were added over the API are there again after a restart; those of the settings are the settings' alone.
import type { Logger } from "pino";
import { Subscription } from "rxjs";
import type { Config } from "../../config.ts";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { isLive, schemeOf, type StreamConfig } from "../../pipeline/stream.ts";
import { allowedFile } from "../access/file-access.ts";
import { NewStream } from "../protocol.ts";
import type { Store } from "../store.ts";

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

  constructor(options: KeptStreamsOptions) {
    this.#options = options;
  }

  /** Those to start, in the order in which they were added. */
  load(config: Pick<Config, "fileRoots">): Promise<StreamConfig[]> {
    return this.#read(config, (id) => !this.#options.isConfigured(id));
  }

  /** Those of these ids, whether the settings have such streams or not. */
  behind(config: Pick<Config, "fileRoots">, ids: ReadonlySet<string>): Promise<StreamConfig[]> {
    return this.#read(config, (id) => ids.has(id));
  }

  /** Files are held against today's `fileRoots`. */
  async #read({ fileRoots }: Pick<Config, "fileRoots">, isWanted: (id: string) => boolean): Promise<StreamConfig[]> {
    const { store, logger } = this.#options;
    const rows = store.db.prepare("SELECT id, config FROM streams ORDER BY added_at, id").raw().all() as [
      string,
      string,
    ][];
    const streams: StreamConfig[] = [];
    for (const [id, json] of rows.filter(([name]) => isWanted(name))) {
      try {
        const stream: StreamConfig = NewStream.parse(JSON.parse(json));
        if (schemeOf(stream.url) === "file") await allowedFile(stream.url, fileRoots).catch(unlessMissing);
        streams.push(stream);
      } catch (error) {
        logger.warn({ stream: id }, `the stream ${id} is not started: ${sentenceOf(error)}`);
      }
    }
    return streams;
  }

  /** Writes down what is added, changed and removed from now on. A file that is played once is done with when it has ended. */
  follow(pipeline: Pick<Pipeline, "configs" | "removed" | "statuses">): Subscription {
    const { isConfigured } = this.#options;
    const subscription = new Subscription();
    subscription.add(
      pipeline.configs.subscribe((config) => {
        if (!isConfigured(config.id)) this.#put(config);
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

/** A file that is not there shows as a stream that failed: its disk may not be mounted yet. */
function unlessMissing(error: unknown): void {
  if (!(error instanceof MultiboxError && error.code === "FILE_NOT_FOUND")) throw error;
}
