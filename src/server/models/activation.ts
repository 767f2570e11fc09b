// Brings a version of a model into use while streams run: opened and warmed beside the old one, then changed between two batches.
import { MultiboxError } from "../../errors.ts";
import type { CurrentDetector } from "../../model/current-detector.ts";
import type { Detector } from "../../model/detector.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { InUse } from "./model-schemas.ts";
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
   * Resolves when the last batch of the old version is done. Fails with VERSION_UNKNOWN, VERSION_NOT_OFFERED, MODEL_BUSY, or as
   * opening the model does; then all is as it was.
   */
  async activate(name: string, version: number, force: boolean): Promise<InUse> {
    const { store } = this.#deps;
    if (version !== 0 && !store.version(name, version).offered && !force) {
      const sentence = `Version ${version} of "${name}" is worse than what its training began with.`;
      throw new MultiboxError("VERSION_NOT_OFFERED", sentence, 'Take it all the same with {"force": true}.');
    }
    if (store.inUse(name).version === version) return store.inUse(name);
    if (this.#busy) {
      throw new MultiboxError("MODEL_BUSY", "Another version is being brought into use.", "Try again in a moment.");
    }
    this.#busy = true;
    try {
      await this.#change(name, version);
      return await store.use(name, version);
    } finally {
      this.#busy = false;
    }
  }

  /** Back to what was in use before. Fails with NO_PREVIOUS, or as `activate` does. */
  async rollback(name: string): Promise<InUse> {
    const { previous } = this.#deps.store.inUse(name);
    if (previous === undefined) {
      throw new MultiboxError("NO_PREVIOUS", `No other version of "${name}" was in use before.`);
    }
    return await this.activate(name, previous, true);
  }

  async #change(name: string, version: number): Promise<void> {
    const { pipeline, current, open, defaultModel } = this.#deps;
    const isDefault = name === defaultModel;
    const running = await pipeline.detector(isDefault ? undefined : name);
    // What nobody uses is opened by whoever will.
    if (!running) return;
    const detector = await open(`${name}@${version}`);
    if (isDefault) await current.change(detector);
    await pipeline.swap(isDefault ? undefined : name, detector);
    if (isDefault) {
      const first = this.#first;
      this.#first = undefined;
      await first?.close();
    }
  }
}
