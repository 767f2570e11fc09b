// Which frames of a video are looked at. The same settings choose the same frames, wherever a run begins.
import type { AnnotationSettings } from "./annotation.ts";

export type SelectionSettings = Pick<AnnotationSettings, "every" | "fps" | "start" | "end">;

/** `end`: neither this frame nor any after it. */
export type Choice = "take" | "pass" | "end";

/**
 * Asked for each frame from the first on, in the order in which they are shown. `start`, `end` and `fps` count from the first
 * frame's time; of `fps`, each interval of the length 1 / fps has the first frame that falls into it.
 */
export function createSelection({
  every = 1,
  fps,
  start,
  end,
}: SelectionSettings): (index: number, pts: number) => Choice {
  let origin: number | undefined;
  let lastInterval = -1;
  return (index, pts) => {
    origin ??= pts;
    // Times that are equal in ticks may differ in the last bit as seconds.
    const time = pts - origin + 1e-9;
    if (end !== undefined && time >= end) return "end";
    if (index % every !== 0 || (start !== undefined && time < start)) return "pass";
    if (fps === undefined) return "take";
    const interval = Math.floor(time * fps + 1e-6);
    if (interval <= lastInterval) return "pass";
    lastInterval = interval;
    return "take";
  };
}
