// Comparing boxes as COCO writes them.
import type { Box, Detection } from "../../src/model/detection.ts";

/** Intersection over union. */
export function iou([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box): number {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (aw * ah + bw * bh - width * height);
}

/** The detection of the highest score, of this label where one is given. */
export function best<T extends Pick<Detection, "label" | "score">>(
  detections: readonly T[],
  label?: string,
): T | undefined {
  const wanted = detections.filter((one) => label === undefined || one.label === label);
  return wanted.toSorted((a, b) => b.score - a.score)[0];
}
