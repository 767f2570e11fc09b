// Judges the boxes of a data set: what cannot be is an error, what nobody could find is left out and counted, the rest stays as it is.
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import type { Box } from "../model/detection.ts";

/** Rounding in annotations reaches over the edge by up to a pixel; COCO's and VOC's own files do. */
const EDGE_TOLERANCE = 1;

/** DATASET_INVALID: the file and the place in it are part of the sentence. */
export function invalidDataset(where: string, what: string, hint: string, cause?: unknown): MultiboxError {
  return new MultiboxError("DATASET_INVALID", `${where}: ${what}.`, hint, { cause });
}

interface Oddity {
  /** Of one box, and of several. */
  readonly what: readonly [one: string, several: string];
  count: number;
  first: string;
}

/** Keeps count of odd boxes, of one data set. */
export class ObjectCheck {
  readonly #odd = new Map<string, Oddity>();

  /**
   * Whether the box is of use in a picture of this size. `where` names the annotation. Fails with DATASET_INVALID for a box that
   * is none: a negative side.
   */
  accepts(
    [x, y, width, height]: Box,
    picture: { readonly width: number; readonly height: number },
    where: string,
  ): boolean {
    if (width < 0 || height < 0) {
      const box = `[${[x, y, width, height].join(", ")}]`;
      throw invalidDataset(where, `the box ${box} has a negative side`, "Correct it, or take it out of the file.");
    }
    if (width === 0 || height === 0) return this.#leaveOut("without an area", where);
    if (x >= picture.width || y >= picture.height || x + width <= 0 || y + height <= 0)
      return this.#leaveOut("outside the image", where);
    const over = Math.max(-x, -y, x + width - picture.width, y + height - picture.height);
    if (over > EDGE_TOLERANCE)
      this.#count(
        [
          "reaches over the edge of the image and is kept as it is",
          "reach over the edge of the image and are kept as they are",
        ],
        where,
      );
    return true;
  }

  /** A sentence for each kind of oddity, with its count and first place. */
  warnings(): string[] {
    return [...this.#odd.values()].map(
      ({ what: [one, several], count, first }) =>
        `${countOf(count, `box ${one}`, `boxes ${several}`)}; the first is ${first}.`,
    );
  }

  #leaveOut(why: string, where: string): false {
    this.#count([`${why} is left out`, `${why} are left out`], where);
    return false;
  }

  #count(what: Oddity["what"], where: string): void {
    const oddity = this.#odd.get(what[1]) ?? { what, count: 0, first: where };
    oddity.count += 1;
    this.#odd.set(what[1], oddity);
  }
}

/** Fails with PICTURE_MISSING when not all files are there, and says how many are not. */
export function requirePictures(missing: readonly string[], of: number): void {
  if (missing.length === 0) return;
  throw new MultiboxError(
    "PICTURE_MISSING",
    `${missing.length} of ${countOf(of, "image")} ${missing.length === 1 ? "is" : "are"} not there; the first is ${missing[0]}.`,
    "Fetch them, or take them out of the annotations.",
  );
}
