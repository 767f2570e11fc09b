// One lane for each model in use: opened when the first stream wants it, closed when the last one is gone.
import { MultiboxError } from "../errors.ts";
import type { Detector } from "../model/detector.ts";
import { Lane, type LaneOptions } from "./lane.ts";

export interface LanesOptions extends LaneOptions {
  /** Opens a model that a stream names; there are no others than the default one without it. */
  readonly openModel?: ((name: string) => Promise<Detector>) | undefined;
  /** The name of the model that is always open, for streams that name it. */
  readonly defaultModel?: string | undefined;
  /** Most models that are open at the same time, the default one among them. */
  readonly maxModels: number;
}

interface OpenLane {
  readonly lane: Promise<Lane>;
  /** How many hold it. */
  holds: number;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #default: Lane;
  readonly #others = new Map<string, OpenLane>();
  /** Opened here, or handed over in a swap; the first default one is its maker's. */
  readonly #own = new Set<Detector>();
  readonly #closing = new Set<Promise<void>>();

  constructor(detector: Detector, options: LanesOptions) {
    this.#options = options;
    this.#default = new Lane(detector, options);
  }

  /** The default model's lane, or undefined where another one is meant. */
  withoutWaiting(model: string | undefined): Lane | undefined {
    return model === undefined || model === this.#options.defaultModel ? this.#default : undefined;
  }

  /** The lane of a model, held until it is released. Fails with MODEL_LIMIT, or as opening the model does. */
  acquire(model: string | undefined): Promise<Lane> {
    const known = this.withoutWaiting(model);
    if (known) return Promise.resolve(known);
    const open = this.#others.get(model!) ?? this.#open(model!);
    open.holds += 1;
    return open.lane;
  }

  /** Once for each `acquire` that did not fail. The last one closes the model. */
  release(model: string | undefined): void {
    const open = model === undefined ? undefined : this.#others.get(model);
    if (!open || this.withoutWaiting(model)) return;
    open.holds -= 1;
    if (open.holds > 0) return;
    this.#others.delete(model!);
    const closing = open.lane.then((lane) => this.#close(lane)).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Another detector for a model, the default one when none is named; MODEL_NOT_OPEN when no stream uses it. Resolves when the old one is idle, and closed if it was the lanes' own. */
  async swap(model: string | undefined, detector: Detector): Promise<void> {
    const lane = this.withoutWaiting(model) ?? (await this.#others.get(model!)?.lane);
    if (!lane) throw new MultiboxError("MODEL_NOT_OPEN", `No stream uses the model "${model}".`);
    this.#own.add(detector);
    const old = await lane.swap(detector);
    if (old !== detector) await this.#closeOwn(old);
  }

  /** What looks at the streams of this model now; undefined while it is not open. */
  async detector(model?: string): Promise<Detector | undefined> {
    return (this.withoutWaiting(model) ?? (await this.#others.get(model!)?.lane))?.detector;
  }

  /** Resolves when all frames that were taken are detected and what was opened is closed. */
  async close(): Promise<void> {
    const lanes = await Promise.allSettled([...this.#others.values()].map(({ lane }) => lane));
    this.#others.clear();
    const open = lanes.flatMap((lane) => (lane.status === "fulfilled" ? [lane.value] : []));
    await Promise.all([this.#default, ...open].map((lane) => this.#close(lane)));
    await Promise.all(this.#closing);
  }

  #open(model: string): OpenLane {
    const lane = this.#openLane(model);
    const open = { lane, holds: 0 };
    this.#others.set(model, open);
    // The next who asks tries again.
    lane.catch(() => {
      if (this.#others.get(model) === open) this.#others.delete(model);
    });
    return open;
  }

  async #openLane(model: string): Promise<Lane> {
    const { openModel, maxModels } = this.#options;
    if (!openModel) throw new MultiboxError("MODEL_NOT_FOUND", `There is no model "${model}" here.`);
    if (this.#others.size + 1 >= maxModels) {
      const sentence = `The model "${model}" would be one more than the ${maxModels} that may be open.`;
      throw new MultiboxError("MODEL_LIMIT", sentence, "Raise maxModels, or let streams share models.");
    }
    const detector = await openModel(model);
    this.#own.add(detector);
    return new Lane(detector, this.#options);
  }

  async #close(lane: Lane): Promise<void> {
    await lane.close();
    await this.#closeOwn(lane.detector);
  }

  async #closeOwn(detector: Detector): Promise<void> {
    if (this.#own.delete(detector)) await detector.close();
  }
}
