// The boxes of one picture, decoded when they are first asked for; how much two of them overlap.
import { decodeInto } from "../box-coder.ts";
import type { Heads } from "./candidates.ts";
import { boxCount, defaultBoxes } from "../default-boxes.ts";
import type { SsdSpec } from "../spec.ts";

const NOT_DECODED = -1;

export class DecodedBoxes {
  /** `[x1, y1, x2, y2]` of each box as shares of the picture's sides, once its area was asked for. */
  readonly corners: Float32Array;
  readonly #areas: Float64Array;
  readonly #defaultBoxes: Float32Array;
  readonly #variances: SsdSpec["variances"];
  readonly #cutFirst: boolean;
  #heads: Heads | undefined;

  /** With `cutFirst` boxes are cut to the picture at once, else they stay as they are. */
  constructor(spec: SsdSpec, cutFirst: boolean) {
    this.#cutFirst = cutFirst;
    this.#defaultBoxes = defaultBoxes(spec);
    this.#variances = spec.variances;
    this.corners = new Float32Array(boxCount(spec) * 4);
    this.#areas = new Float64Array(boxCount(spec));
  }

  /** Begins with another picture. */
  reset(heads: Heads): void {
    this.#heads = heads;
    this.#areas.fill(NOT_DECODED);
  }

  /** As a share of the picture; 0 when the box lies wholly off it, or is no box at all. */
  area(box: number): number {
    if (this.#areas[box] === NOT_DECODED) this.#areas[box] = this.#decode(box);
    return this.#areas[box]!;
  }

  /** Intersection over union of two boxes with an area. */
  iou(a: number, b: number): number {
    const { corners } = this;
    const [i, j] = [a * 4, b * 4];
    const width = Math.min(corners[i + 2]!, corners[j + 2]!) - Math.max(corners[i]!, corners[j]!);
    if (width <= 0) return 0;
    const height = Math.min(corners[i + 3]!, corners[j + 3]!) - Math.max(corners[i + 1]!, corners[j + 1]!);
    if (height <= 0) return 0;
    const intersection = width * height;
    return intersection / (this.#areas[a]! + this.#areas[b]! - intersection);
  }

  #decode(box: number): number {
    const { offsets, offsetsAt } = this.#heads!;
    const { corners } = this;
    const at = box * 4;
    decodeInto(corners, at, offsets, offsetsAt + at, this.#defaultBoxes, at, this.#variances);
    const x1 = Math.max(0, corners[at]!);
    const y1 = Math.max(0, corners[at + 1]!);
    const x2 = Math.min(1, corners[at + 2]!);
    const y2 = Math.min(1, corners[at + 3]!);
    // So written that a corner which is no number makes no area.
    if (!(x2 > x1 && y2 > y1)) return 0;
    if (this.#cutFirst) {
      corners[at] = x1;
      corners[at + 1] = y1;
      corners[at + 2] = x2;
      corners[at + 3] = y2;
    }
    return (corners[at + 2]! - corners[at]!) * (corners[at + 3]! - corners[at + 1]!);
  }
}
