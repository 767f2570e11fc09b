// Frames as the history keeps them.
import type { FrameRecord } from "../../src/server/history/frame-record.ts";

/** When the first frame of `recordAt` was. */
export const RECORDS_BEGIN = Date.UTC(2026, 0, 1, 12);

/** Frame number `seq` of a stream with ten frames a second, with so much of each label on it. */
export function recordAt(
  stream: string,
  seq: number,
  labels: Readonly<Record<string, readonly number[]>> = {},
): FrameRecord {
  return {
    stream,
    seq,
    pts: seq / 10,
    time: RECORDS_BEGIN + seq * 100,
    width: 1280,
    height: 720,
    model: { name: "scripted", version: "1" },
    timing: { queueMs: 0.12, inferMs: 12.34, totalMs: 1234.56 },
    detections: Object.entries(labels)
      .flatMap(([label, scores], classId) =>
        scores.map((score, i) => ({ label, classId, score, bbox: [i + 0.25, seq / 100, 1279.99, 33.33] as const })),
      )
      .map((detection) => ({ ...detection, bbox: [...detection.bbox] })),
  };
}
