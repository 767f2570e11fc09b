// COCOeval's matching of one picture's detections to its objects, of one class and one range of areas.
import type { Box } from "../model/detection.ts";
import type { Found, Truth } from "./truth.ts";

/** What is on one picture of one class, and what was found. */
export interface PictureObjects {
  readonly truths: readonly Truth[];
  readonly found: readonly Found[];
}

/** The same with what every threshold and range of areas needs. */
export interface RankedPicture {
  readonly truths: readonly Truth[];
  /** Best score first, at most 100. */
  readonly found: readonly Found[];
  /** For each detection its overlap with each object. */
  readonly ious: readonly Float64Array[];
}

/** `matched` and `ignored` are flat: thresholds x detections, in the order of `found`. */
export interface Match {
  readonly matched: Uint8Array;
  /** Neither right nor wrong: it has found a crowd, or is itself of another size than asked for. */
  readonly ignored: Uint8Array;
  /** Objects that are to be found. */
  readonly wanted: number;
}

const MAX_DETECTIONS = 100;

/** COCOeval.computeIoU; of equal scores the first stays first. */
export function rankPicture({ truths, found }: PictureObjects): RankedPicture {
  const ranked = [...found].sort((a, b) => b.score - a.score).slice(0, MAX_DETECTIONS);
  const ious = ranked.map(({ bbox }) => Float64Array.from(truths, (truth) => cocoIou(bbox, truth)));
  return { truths, found: ranked, ious };
}

/**
 * COCOeval.evaluateImg: for each threshold, each detection in descending order of score takes the free object that it overlaps
 * most, and one that does not count (a crowd, or of another size) only where no other fits. A crowd takes any number.
 */
export function matchPicture(
  { truths, found, ious }: RankedPicture,
  [smallest, largest]: readonly [number, number],
  thresholds: readonly number[],
): Match {
  const beyond = (area: number): boolean => area < smallest || area > largest;
  const indices = truths.map((_, i) => i);
  const counts = indices.filter((i) => !truths[i]!.crowd && !beyond(truths[i]!.area));
  const wanted = counts.length;
  const order = wanted === truths.length ? indices : [...counts, ...indices.filter((i) => !counts.includes(i))];
  const matched = new Uint8Array(thresholds.length * found.length);
  const ignored = new Uint8Array(thresholds.length * found.length);
  for (const [d, { bbox }] of found.entries()) {
    if (!beyond(bbox[2] * bbox[3])) continue;
    for (let t = 0; t < thresholds.length; t++) ignored[t * found.length + d] = 1;
  }
  for (let t = 0; t < thresholds.length && truths.length > 0; t++) {
    const taken = new Uint8Array(truths.length);
    for (let d = 0; d < found.length; d++) {
      const at = t * found.length + d;
      const best = bestObject(ious[d]!, thresholds[t]!, taken, truths, order, wanted);
      if (best < 0) continue;
      taken[order[best]!] = 1;
      matched[at] = 1;
      ignored[at] = best >= wanted ? 1 : 0;
    }
  }
  return { matched, ignored, wanted };
}

/**
 * The place in `order`, or -1. The wanted objects come first there, so that one of them, once found, is not given up for one that
 * does not count.
 */
function bestObject(
  ious: Float64Array,
  threshold: number,
  taken: Uint8Array,
  truths: readonly Truth[],
  order: readonly number[],
  wanted: number,
): number {
  let best = -1;
  let least = Math.min(threshold, 1 - 1e-10);
  for (let place = 0; place < order.length; place++) {
    const object = order[place]!;
    if (taken[object] === 1 && !truths[object]!.crowd) continue;
    if (best >= 0 && best < wanted && place >= wanted) break;
    // Not `<=`: of equal overlaps the last object is taken.
    if (ious[object]! < least) continue;
    least = ious[object]!;
    best = place;
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
