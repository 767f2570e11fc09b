// Where one stream's frames go: the lane of its model, taken when there are frames to come, changed with the model, given back.
import type { Frame } from "./frame.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";

export class StreamLane {
  readonly #lanes: Lanes;
  readonly #stream: string;
  #held: { readonly model: string | undefined; readonly lane: Lane } | undefined;
  /** The last wish: an earlier one that comes true later is given back. */
  #wish = 0;

  constructor(lanes: Lanes, stream: string) {
    this.#lanes = lanes;
    this.#stream = stream;
  }

  /** The lane that is held. */
  get lane(): Lane | undefined {
    return this.#held?.lane;
  }

  /** Holds the lane of this model; undefined when it does already. Fails as opening the model does, and then holds what it held. */
  want(model: string | undefined): Promise<void> | undefined {
    this.#wish += 1;
    if (this.#held && this.#held.model === model) return undefined;
    const lane = this.#lanes.withoutWaiting(model);
    if (!lane) return this.#waitFor(model, this.#wish);
    this.#move(model, lane);
    return undefined;
  }

  /** Gives the lane back, and the frames that waited in it, which are the caller's. */
  release(): Frame[] {
    this.#wish += 1;
    const held = this.#held;
    this.#held = undefined;
    const frames = held?.lane.withdraw(this.#stream) ?? [];
    this.#lanes.release(held?.model);
    return frames;
  }

  async #waitFor(model: string | undefined, wish: number): Promise<void> {
    const lane = await this.#lanes.acquire(model);
    if (wish === this.#wish) this.#move(model, lane);
    else this.#lanes.release(model);
  }

  /** What waited in the old lane waits in the new one. */
  #move(model: string | undefined, lane: Lane): void {
    const waiting = this.release();
    this.#held = { model, lane };
    for (const frame of waiting) lane.push(frame);
  }
}
