// The memory that an engine answers in: as large as the largest batch so far, and used again.
import { type Graph, outputShapes } from "../graph.ts";
import type { RawHeads } from "./engine.ts";

/** Offsets and logits of a batch, picture after picture. */
export class Answer {
  readonly #boxes: number;
  readonly #classes: number;
  #all: RawHeads = { offsets: new Float32Array(0), logits: new Float32Array(0) };

  constructor(graph: Graph) {
    [, this.#boxes, this.#classes] = outputShapes(graph).logits;
  }

  /** Makes room for `n` pictures; what was there is lost where there was less. */
  reserve(n: number): void {
    const [offsets, logits] = [n * this.#boxes * 4, n * this.#boxes * this.#classes];
    if (this.#all.offsets.length >= offsets) return;
    this.#all = { offsets: new Float32Array(offsets), logits: new Float32Array(logits) };
  }

  /** The part of `n` pictures from picture `from` on, to write to or to answer with. */
  part(from: number, n: number): RawHeads {
    const { offsets, logits } = this.#all;
    const [each, all] = [this.#boxes * 4, this.#boxes * this.#classes];
    return {
      offsets: offsets.subarray(from * each, (from + n) * each),
      logits: logits.subarray(from * all, (from + n) * all),
    };
  }
}
