// Which frames of a stream a client is spared on its own wish: more than `maxFps`, and those on which nothing has changed.
import { iou } from "../../model/detection.ts";
import type { Detections } from "../protocol.ts";

type Found = Detections["detections"];

export interface GateOptions {
  readonly maxFps?: number | undefined;
  readonly changesOnly?: boolean;
}

/** A box has moved when it overlaps where it was by less. */
const STILL = 0.7;

/** Sees the frames of one stream in order, replayed ones and live ones alike. */
export class FrameGate {
  readonly #interval: number;
  readonly #changesOnly: boolean;
  #due = -Infinity;
  #sent: Found | undefined;

  constructor({ maxFps, changesOnly = false }: GateOptions) {
    this.#interval = maxFps === undefined ? 0 : 1000 / maxFps;
    this.#changesOnly = changesOnly;
  }

  /** Whether a frame of that time (in milliseconds), with what the client wants to know of it, is to be sent. */
  lets(time: number, detections: Found): boolean {
    // A clock that went back must not silence the stream until it has caught up.
    const isDue = time >= this.#due || time < this.#due - 2 * this.#interval;
    if (!isDue || (this.#changesOnly && this.#sent && !hasChanged(this.#sent, detections))) return false;
    // From when it was due, not from when it came, or a camera's own rhythm would make fewer of it.
    this.#due = Math.abs(time - this.#due) > this.#interval ? time + this.#interval : this.#due + this.#interval;
    this.#sent = detections;
    return true;
  }
}

/** Another number of some label, or a box that overlaps no box of its label by enough, each being taken once, best first. */
export function hasChanged(before: Found, now: Found): boolean {
  if (before.length !== now.length) return true;
  const left = [...before];
  for (const { label, bbox } of now) {
    let best = -1;
    let overlap = STILL;
    left.forEach((other, i) => {
      const shared = other.label === label ? iou(other.bbox, bbox) : 0;
      if (shared >= overlap) [best, overlap] = [i, shared];
    });
    if (best < 0) return true;
    left.splice(best, 1);
  }
  return false;
}
