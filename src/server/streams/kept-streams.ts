// Streams that were added over the API are there again after a restart; those of the settings are the settings' alone.
import type { Logger } from "pino";
import type { Config } from "../../config.ts";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { schemeOf, type StreamConfig } from "../../pipeline/stream.ts";
import { allowedFile } from "../access/file-access.ts";
import { callOf } from "../database/database-thread.ts";
import type { Store } from "../database/store.ts";
import { StreamId } from "../protocol.ts";
import { type StoredStream, storedStream, streamFault } from "./stored-stream.ts";
import type { StreamKeeper } from "./stream-changes.ts";

export interface KeptStreamsOptions {
  readonly store: Store;
  readonly logger: Logger;
  /**
   * Whether a stream is of the settings (or the demo). Then what is done to it over the API counts until the settings are
   * read again, and a kept one of the same name stands back until they no longer have it.
   */
  readonly isConfigured: (id: string) => boolean;
}

export class KeptStreams implements StreamKeeper {
  readonly #options: KeptStreamsOptions;

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
    const rows = await callOf(store, "streams", undefined);
    const streams: StoredStream[] = [];
    for (const { id, config } of rows.filter((row) => isWanted(row.id))) {
      const stream = await checked(storedStream(id, config), fileRoots);
      if (stream.fault) {
        logger.warn({ stream: id }, `the stream ${id} is not started: ${stream.fault.error.toString()}`);
      }
      // What is not an id cannot be named in a path or a message.
      if (StreamId.safeParse(id).success) streams.push(stream);
    }
    return streams;
  }

  /** A stream of the settings is the settings' alone, and is not stored. */
  async put(config: StreamConfig): Promise<void> {
    const { store, isConfigured } = this.#options;
    if (isConfigured(config.id)) return;
    await callOf(store, "putStream", { id: config.id, config: JSON.stringify(config), addedAt: Date.now() });
  }

  /** The same; a stored stream behind one of the settings stays. */
  async delete(id: string): Promise<void> {
    const { store, isConfigured } = this.#options;
    if (!isConfigured(id)) await callOf(store, "deleteStream", id);
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
