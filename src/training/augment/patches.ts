// Patches of a picture, drawn as the paper draws them (SSD, section 2.2, "Data augmentation").
import type { SplitRecord } from "../split-record.ts";
import type { Target } from "../match.ts";
import { holdsCentre, overlap, type Rectangle, WHOLE } from "./view.ts";

/** The whole picture, a patch that overlaps an object by so much at least, or any patch; each as likely as the others. */
const CHOICES: readonly ("whole" | "any" | number)[] = ["whole", 0.1, 0.3, 0.5, 0.7, 0.9, "any"];
/** Of width to height. */
const RATIOS = [0.5, 2] as const;
/** As in Caffe's release; where none of them fits, another choice is drawn. */
const TRIALS = 50;
/** The later release's zoom-out: up to so many times the side. */
const MOST_ZOOM_OUT = 4;

/** How far from the picture as it is the views of it go. */
export interface Reach {
  /** How often it is zoomed out. */
  readonly zoomOut: number;
  /** The least side of a patch, in shares of the picture's. */
  readonly leastPatch: number;
}

/** The paper's, with the later release's zoom-out. */
export const PAPER_REACH: Reach = { zoomOut: 0.5, leastPatch: 0.1 };

/**
 * The least side of patches where nobody says: a fixed camera shows objects in one size, and cut-outs of its frames show other sizes
 * (docs/explanation/fixed-camera.md has what was measured). A fine-tune of other images is milder than the paper, too.
 */
export function usualLeastPatch({ by }: Pick<SplitRecord, "by">): number {
  return by === "time" ? 0.85 : 0.3;
}

/**
 * A patch. The one that is asked to overlap does so with one object at least; every patch but the whole holds the centre of an object,
 * where the picture has any that count.
 */
export function drawPatch(targets: readonly Target[], next: () => number, { leastPatch }: Reach): Rectangle {
  const truths = targets.filter(({ ignored }) => !ignored);
  const choices = truths.length === 0 ? (["whole", "any"] as const) : CHOICES;
  for (;;) {
    const choice = choices[Math.floor(next() * choices.length)]!;
    if (choice === "whole") return WHOLE;
    for (let trial = 0; trial < TRIALS; trial++) {
      const patch = anyPatch(next, leastPatch);
      const fits =
        truths.length === 0 ||
        (truths.some(({ box }) => holdsCentre(patch, box)) &&
          (choice === "any" || truths.some(({ box }) => overlap(patch, box) >= choice)));
      if (fits) return patch;
    }
  }
}

/** So often as is asked a canvas of up to four times the picture's sides, with the picture somewhere on it: many small objects. */
export function drawZoomOut(next: () => number, { zoomOut }: Reach): Rectangle {
  if (next() >= zoomOut) return WHOLE;
  const times = 1 + next() * (MOST_ZOOM_OUT - 1);
  return { left: -next() * (times - 1), top: -next() * (times - 1), width: times, height: times };
}

function anyPatch(next: () => number, least: number): Rectangle {
  const size = least + next() * (1 - least);
  // A longer side than the picture's there is not.
  const [narrowest, widest] = [Math.max(RATIOS[0], size ** 2), Math.min(RATIOS[1], 1 / size ** 2)];
  const ratio = narrowest + next() * (widest - narrowest);
  const [width, height] = [size * Math.sqrt(ratio), size / Math.sqrt(ratio)];
  return { left: next() * (1 - width), top: next() * (1 - height), width, height };
}
