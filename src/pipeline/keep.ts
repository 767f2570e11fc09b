// Which detections of a stream are kept: by label, score, size and zone, once for each frame, before anybody sees it.
import type { Detection } from "../model/detection.ts";
import type { StreamConfig } from "./stream.ts";
import { isInAny } from "./zones.ts";

type Keeping = Pick<StreamConfig, "labels" | "minScore" | "limits" | "include" | "exclude">;

/** Of the detections in a picture of this size, those to keep, in their order. */
export type Keep = (detections: readonly Detection[], width: number, height: number) => readonly Detection[];

/**
 * Where an object stands is the middle of its box's lower side: zones are drawn on the ground, and the middle of a tall box
 * often lies in front of what is far behind it. A person on the pavement is not on the street that their head covers.
 */
export function createKeep({ labels, minScore, limits, include, exclude }: Keeping): Keep {
  if (!labels && minScore === undefined && !limits && !include && !exclude) return (detections) => detections;
  const wanted = labels && new Set(labels);
  const byLabel = new Map(Object.entries(limits ?? {}));

  const isWithin = ({ score, label, bbox: [, , boxWidth, boxHeight] }: Detection, area: number): boolean => {
    if (score < (minScore ?? 0) || wanted?.has(label) === false) return false;
    const limit = byLabel.get(label);
    if (!limit) return true;
    const size = (boxWidth * boxHeight) / area;
    return score >= (limit.minScore ?? 0) && size >= (limit.minSize ?? 0) && size <= (limit.maxSize ?? Infinity);
  };
  const isPlaced = ({ bbox: [x, y, boxWidth, boxHeight] }: Detection, width: number, height: number): boolean => {
    const [footX, footY] = [(x + boxWidth / 2) / width, (y + boxHeight) / height];
    return (!include || isInAny(include, footX, footY)) && !(exclude && isInAny(exclude, footX, footY));
  };
  return (detections, width, height) =>
    detections.filter(
      (detection) =>
        isWithin(detection, width * height) && ((!include && !exclude) || isPlaced(detection, width, height)),
    );
}
