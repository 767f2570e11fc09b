// COCOeval's matching of one picture's detections to its objects, of one class and one range of areas.
import type { Box } from "../model/detection.ts";
import type { Found, Truth } from "./truth.ts";

/** What is on one picture of one class, and what was found. */
export interface PictureObjects {
  readonly truths: readonly Truth[];
  readonly found: readonly Found[];
}

/** `matched` and `ignored` are flat: thresholds x detections, in the order of `scores`. */
export interface Match {
  /** Descending, at most 100. */
  readonly scores: readonly number[];
  readonly matched: Uint8Array;
  /** Neither right nor wrong: it has found a crowd, or is itself of another size than asked for. */
  readonly ignored: Uint8Array;
  /** Objects that are to be found. */
  readonly wanted: number;
}

const MAX_DETECTIONS = 100;

/**
 * COCOeval.evaluateImg: for each threshold, each detection in descending order of score takes the free object that it overlaps
 * most, and one that does not count (a crowd, or of another size) only where no other fits. A crowd takes any number.
 */
export function matchPicture(
  { truths, found }: PictureObjects,
  [smallest, largest]: readonly [number, number],
  thresholds: readonly number[],
): Match {
  const beyond = (area: number): boolean => area < smallest || area > largest;
  const skipped = (truth: Truth): boolean => truth.crowd || beyond(truth.area);
  const objects = [...truths.filter((truth) => !skipped(truth)), ...truths.filter(skipped)];
  const wanted = truths.length - truths.filter(skipped).length;
  const ranked = [...found].sort((a, b) => b.score - a.score).slice(0, MAX_DETECTIONS);
  const ious = ranked.map(({ bbox }) => objects.map((truth) => cocoIou(bbox, truth)));
  const matched = new Uint8Array(thresholds.length * ranked.length);
  const ignored = new Uint8Array(thresholds.length * ranked.length);
  for (const [t, threshold] of thresholds.entries()) {
    const taken = new Uint8Array(objects.length);
    for (const [d, { bbox }] of ranked.entries()) {
      const at = t * ranked.length + d;
      const best = bestObject(ious[d]!, threshold, taken, objects, wanted);
      if (best < 0) {
        ignored[at] = beyond(bbox[2] * bbox[3]) ? 1 : 0;
        continue;
      }
      taken[best] = 1;
      matched[at] = 1;
      ignored[at] = best >= wanted ? 1 : 0;
    }
  }
  return { scores: ranked.map(({ score }) => score), matched, ignored, wanted };
}

/** The wanted objects come first, so that one of them, once found, is not given up for one that does not count. */
function bestObject(
  ious: readonly number[],
  threshold: number,
  taken: Uint8Array,
  objects: readonly Truth[],
  wanted: number,
): number {
  let best = -1;
  let least = Math.min(threshold, 1 - 1e-10);
  for (let o = 0; o < objects.length; o++) {
    if (taken[o] === 1 && !objects[o]!.crowd) continue;
    if (best >= 0 && best < wanted && o >= wanted) break;
    // Not `<=`: of equal overlaps the last object is taken.
    if (ious[o]! < least) continue;
    least = ious[o]!;
    best = o;
  }
  return best;
}

/** Intersection over union; over the detection's own area for a crowd (maskApi.c, `bbIou`). */
function cocoIou([x, y, width, height]: Box, { bbox, crowd }: Truth): number {
  const across = Math.min(x + width, bbox[0] + bbox[2]) - Math.max(x, bbox[0]);
  const down = Math.min(y + height, bbox[1] + bbox[3]) - Math.max(y, bbox[1]);
  if (across <= 0 || down <= 0) return 0;
  const shared = across * down;
  const own = width * height;
  return shared / (crowd ? own : own + bbox[2] * bbox[3] - shared);
}
