// Brings a version of a model into use while streams run: opened and warmed beside the old one, then changed between two batches.
import { MultiboxError } from "../../errors.ts";
import type { CurrentDetector } from "../../model/current-detector.ts";
import type { Detector } from "../../model/detector.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { InUse, ModelVersion } from "./model-schemas.ts";
import type { ModelStore } from "./model-store.ts";

export interface ActivationDeps {
  readonly store: ModelStore;
  readonly pipeline: Pick<Pipeline, "swap" | "detector">;
  /** The server's own model, and what looks at streams that name none. */
  readonly defaultModel: string;
  readonly current: CurrentDetector;
  /** Opens `name@version` and warms it. */
  readonly open: (model: string) => Promise<Detector>;
}

export class Activator {
  readonly #deps: ActivationDeps;
  /** The detector that the pipeline was made with; it is closed here, all later ones by the pipeline. */
  #first: Detector | undefined;
  #busy = false;

  constructor(deps: ActivationDeps, first: Detector) {
    this.#deps = deps;
    this.#first = first;
  }

  /**
   * Resolves when the last batch of the old version is done. Fails with VERSION_UNKNOWN, VERSION_NOT_OFFERED, MODEL_BUSY, DISK_FULL,
   * NOT_WRITABLE, or as opening the model does; then all is as it was.
   */
  activate(name: string, version: number, force: boolean): Promise<InUse> {
    const { store } = this.#deps;
    return this.#alone(async () => {
      if (version !== 0 && !force) requireOffered(store.version(name, version));
      return await this.#bring(name, version);
    });
  }

  /** Back to what was in use before. Fails with NO_PREVIOUS, or as `activate` does. */
  rollback(name: string): Promise<InUse> {
    return this.#alone(async () => {
      const { previous } = this.#deps.store.inUse(name);
      if (previous !== undefined) return await this.#bring(name, previous);
      throw new MultiboxError("NO_PREVIOUS", `No other version of "${name}" was in use before.`);
    });
  }

  /** One activation at a time, of whatever model: each opens a model beside those that run. */
  async #alone(action: () => Promise<InUse>): Promise<InUse> {
    if (this.#busy)
      throw new MultiboxError("MODEL_BUSY", "Another version is being brought into use.", "Try again in a moment.");
    this.#busy = true;
    try {
      return await action();
    } finally {
      this.#busy = false;
    }
  }

  #bring(name: string, version: number): Promise<InUse> {
    const { store, open, defaultModel } = this.#deps;
    const model = name === defaultModel ? undefined : name;
    return store.changeInUse(name, version, async (write) => {
      const before = store.inUse(name);
      if (before.version === version) return before;
      const openNext = (): Promise<Detector> => open(`${name}@${version}`);
      // A version that does not open is never written down.
      let next = (await this.#running(model)) && (await openNext());
      try {
        const inUse = await write({ version, previous: before.version });
        try {
          // From here on a stream that opens the model gets this version; one may have opened the version before meanwhile.
          if (await this.#running(model)) next ??= await openNext();
          if (next && (await this.#swap(model, next))) next = undefined;
          return inUse;
        } catch (error) {
          await write(before);
          throw error;
        }
      } finally {
        await next?.close();
      }
    });
  }

  /** Undefined where no stream uses the model, also where the version in use does not open. */
  #running(model: string | undefined): Promise<Detector | undefined> {
    return this.#deps.pipeline.detector(model).catch(() => undefined);
  }

  /** Whether the detector took the place of the old one; not where no stream uses the model any more. */
  async #swap(model: string | undefined, detector: Detector): Promise<boolean> {
    const { pipeline, current } = this.#deps;
    const before = model === undefined ? await current.change(detector) : undefined;
    try {
      await pipeline.swap(model, detector);
    } catch (error) {
      if (before) await current.change(before);
      if (error instanceof MultiboxError && error.code === "MODEL_NOT_OPEN") return false;
      throw error;
    }
    if (model !== undefined) return true;
    const first = this.#first;
    this.#first = undefined;
    await first?.close();
    return true;
  }
}

function requireOffered({ name, version, offered, verdict }: ModelVersion): void {
  if (offered) return;
  const why = verdict?.reason ?? "It is not better than what its training began with.";
  const sentence = `Version ${version} of "${name}" is ${verdict?.outcome ?? "not offered"}. ${why}`;
  throw new MultiboxError("VERSION_NOT_OFFERED", sentence, 'Take it all the same with {"force": true}.');
}
