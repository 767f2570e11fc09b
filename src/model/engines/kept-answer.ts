// An answer of which only some boxes are known: all others have logits that no score comes of.
import { type Graph, outputShapes } from "../graph.ts";
import { Answer } from "./answer.ts";
import type { Floor, RawHeads } from "./engine.ts";

/** What a model with `addSelection` says of a batch, or of a part of it that begins at picture `from`. */
export interface KeptBoxes {
  readonly from: number;
  /** Pairs of picture and box. */
  readonly places: BigInt64Array;
  readonly offsets: Float32Array;
  readonly logits: Float32Array;
}

/** Memory for the largest batch so far; only the rows that were written are emptied for the next. */
export class KeptAnswer {
  readonly #answer: Answer;
  readonly #boxes: number;
  readonly #classes: number;
  readonly #nothing: Float32Array;
  /** All of the answer's. */
  #memory: RawHeads | undefined;
  #written: number[] = [];

  constructor(graph: Graph, { scores }: Floor) {
    this.#answer = new Answer(graph);
    [, this.#boxes, this.#classes] = outputShapes(graph).logits;
    this.#nothing = new Float32Array(this.#classes).fill(-Infinity);
    // A softmax of nothing but that would be no number.
    if (scores === "softmax") this.#nothing[0] = 0;
  }

  /** Empty, for `n` pictures. */
  reserve(n: number): void {
    this.#answer.reserve(n);
    const { offsets, logits } = this.#answer.part(0, n);
    if (this.#memory?.logits.buffer === logits.buffer) {
      for (const row of this.#written) this.#memory.logits.set(this.#nothing, row * this.#classes);
    } else {
      const all = new Float32Array(logits.buffer);
      for (let at = 0; at < all.length; at += this.#classes) all.set(this.#nothing, at);
      this.#memory = { offsets: new Float32Array(offsets.buffer), logits: all };
    }
    this.#written = [];
  }

  /** After `reserve`. */
  write({ from, places, offsets, logits }: KeptBoxes): void {
    const classes = this.#classes;
    const all = this.#memory!;
    for (let i = 0; i < places.length / 2; i++) {
      const row = (from + Number(places[2 * i]!)) * this.#boxes + Number(places[2 * i + 1]!);
      all.offsets.set(offsets.subarray(i * 4, (i + 1) * 4), row * 4);
      all.logits.set(logits.subarray(i * classes, (i + 1) * classes), row * classes);
      this.#written.push(row);
    }
  }

  /** Of the first `n` pictures. */
  heads(n: number): RawHeads {
    return this.#answer.part(0, n);
  }
}
