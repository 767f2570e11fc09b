// Counts frames and labels by the minute: what statistics are made of, and where to look for a label.
import type { FrameRecord } from "./frame-record.ts";
import type { HistoryNames } from "./history-names.ts";

/** One label of one stream in one minute. */
export interface MinuteCount {
  readonly stream: number;
  /** Minutes since the epoch. */
  readonly minute: number;
  /** 0 for all frames, whatever was on them. */
  readonly label: number;
  /** How many had it. */
  frames: number;
  detections: number;
  /** The best score. */
  best: number;
  firstSeq: number;
  lastSeq: number;
}

export const ALL_LABELS = 0;

export function countMinutes(
  records: readonly FrameRecord[],
  names: Pick<HistoryNames, "streamId" | "labelId">,
): Iterable<MinuteCount> {
  const counts = new Map<string, MinuteCount>();
  for (const { stream: name, time, seq, detections } of records) {
    const stream = names.streamId(name);
    const minute = Math.floor(time / 60_000);
    const of = (label: number): MinuteCount => {
      const key = `${stream} ${minute} ${label}`;
      const known = counts.get(key);
      if (known) return known;
      const fresh = { stream, minute, label, frames: 0, detections: 0, best: 0, firstSeq: seq, lastSeq: seq };
      counts.set(key, fresh);
      return fresh;
    };
    const all = of(ALL_LABELS);
    const touched = new Set([all]);
    for (const detection of detections) {
      const one = of(names.labelId(detection));
      touched.add(one);
      one.detections += 1;
      all.detections += 1;
      one.best = Math.max(one.best, detection.score);
      all.best = Math.max(all.best, detection.score);
    }
    for (const count of touched) {
      count.frames += 1;
      count.firstSeq = Math.min(count.firstSeq, seq);
      count.lastSeq = Math.max(count.lastSeq, seq);
    }
  }
  return counts.values();
}
