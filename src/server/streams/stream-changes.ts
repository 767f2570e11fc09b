// All that is done to streams while the server runs: one change of a stream at a time, stored before it is made and acknowledged.
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { Subscription } from "rxjs";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { isLive, patched, type StreamConfig, type StreamPatch } from "../../pipeline/stream.ts";
import { KeyedLock } from "../keyed-lock.ts";
import type { StoredStream } from "./stored-stream.ts";

/** Where streams are stored; both fail with STORE_UNAVAILABLE or STORE_DAMAGED, and then nothing is changed. */
export interface StreamKeeper {
  put(config: StreamConfig): Promise<void>;
  delete(id: string): Promise<void>;
}

export interface StreamChangesOptions {
  readonly pipeline: Pick<Pipeline, "add" | "change" | "remove" | "status" | "list" | "statuses">;
  /** Nothing is stored when absent. */
  readonly keeper?: StreamKeeper | undefined;
  /** Before a stream gets frames: reserves their numbers. Never fails. */
  readonly prepare?: ((id: string) => Promise<void>) | undefined;
  readonly logger?: Logger | undefined;
}

type Patch = StreamPatch | ((before: StreamConfig) => StreamPatch);

/** What `set` has done. */
export type SetOutcome = "added" | "changed" | "same";

export class StreamChanges {
  readonly #options: StreamChangesOptions;
  readonly #locks = new KeyedLock();

  constructor(options: StreamChangesOptions) {
    this.#options = options;
  }

  /** Fails with STREAM_EXISTS, STREAM_BAD_SCHEME, or as the keeper does. */
  add(config: StreamConfig): Promise<void> {
    return this.#locks.run(config.id, () => this.#add(config));
  }

  /** Starts stored streams in their order, but for those that were added since they were read. */
  async startAll(streams: readonly StoredStream[]): Promise<void> {
    const { pipeline, prepare } = this.#options;
    await Promise.all(streams.map(async ({ config }) => await prepare?.(config.id)));
    for (const { config, fault } of streams) {
      await this.#locks.run(config.id, async () => {
        if (!this.#find(config.id)) pipeline.add(config, fault);
      });
    }
  }

  /** `check` runs right before the change. Fails as it does, with STREAM_UNKNOWN, STREAM_BAD_SCHEME, or as the keeper does. */
  change(id: string, patch: Patch, check?: () => void): Promise<StreamConfig> {
    return this.#locks.run(id, () => {
      this.#options.pipeline.status(id);
      check?.();
      return this.#change(id, patch);
    });
  }

  /** Resolves when nothing of it runs any more. Fails as `change` does. */
  remove(id: string, check?: () => void): Promise<void> {
    return this.#locks.run(id, async () => {
      const { pipeline, keeper } = this.#options;
      pipeline.status(id);
      check?.();
      await keeper?.delete(id);
      await pipeline.remove(id);
    });
  }

  /** Adds the stream, or changes the one of its id with the patch that is made for it. */
  set(config: StreamConfig, patch: (before: StreamConfig) => StreamPatch): Promise<SetOutcome> {
    return this.#locks.run(config.id, async () => {
      const before = this.#find(config.id);
      if (!before) {
        await this.#add(config);
        return "added";
      }
      if (isDeepStrictEqual(before, config)) return "same";
      await this.#change(config.id, patch);
      return "changed";
    });
  }

  /** A file that is played once is not kept when it has ended. */
  follow(): Subscription {
    const { pipeline } = this.#options;
    return pipeline.statuses.subscribe(({ config, state, error }) => {
      if (state !== "ended" || error || isLive(config)) return;
      void this.#locks.run(config.id, () => this.#forget(config));
    });
  }

  /** Resolves when no change is under way. */
  idle(): Promise<void> {
    return this.#locks.idle();
  }

  async #add(config: StreamConfig): Promise<void> {
    const { pipeline, keeper, prepare } = this.#options;
    if (this.#find(config.id)) {
      const sentence = `There is a stream "${config.id}" already.`;
      throw new MultiboxError("STREAM_EXISTS", sentence, "Choose another id, or remove that stream first.");
    }
    await prepare?.(config.id);
    await keeper?.put(config);
    await this.#orUndo(
      () => pipeline.add(config),
      () => keeper?.delete(config.id),
    );
  }

  async #change(id: string, patch: Patch): Promise<StreamConfig> {
    const { pipeline, keeper } = this.#options;
    const before = pipeline.status(id).config;
    const change = typeof patch === "function" ? patch(before) : patch;
    const after = patched(before, change);
    if (isDeepStrictEqual(before, after)) return before;
    await keeper?.put(after);
    return this.#orUndo(
      () => pipeline.change(id, change),
      () => keeper?.put(before),
    );
  }

  async #forget(config: StreamConfig): Promise<void> {
    const { pipeline, keeper, logger } = this.#options;
    const found = pipeline.list().find((status) => status.config.id === config.id);
    // It may have been removed, or changed and started again.
    if (found?.state !== "ended" || found.error) return;
    await keeper?.delete(config.id).catch((error: unknown) => {
      logger?.error(
        { stream: config.id },
        `the stream ${config.id} has ended and is still stored: ${sentenceOf(error)}`,
      );
    });
  }

  #find(id: string): StreamConfig | undefined {
    return this.#options.pipeline.list().find(({ config }) => config.id === id)?.config;
  }

  /** What is stored must be able to run: where the pipeline refuses it, what was stored before is restored. */
  async #orUndo<T>(act: () => T, undo: () => Promise<void> | undefined): Promise<T> {
    try {
      return act();
    } catch (error) {
      await undo()?.catch((failure: unknown) => {
        this.#options.logger?.error(`a refused stream is still stored: ${sentenceOf(failure)}`);
      });
      throw error;
    }
  }
}
