// A detected frame as it is told and kept: without its picture, its numbers as fine as the wire has them.
import type { Detection } from "../../model/detection.ts";
import type { Detected } from "../../pipeline/frame.ts";
import type { Detections, Model } from "../protocol.ts";

export interface FrameRecord {
  readonly stream: string;
  readonly seq: number;
  /** Seconds. */
  readonly pts: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly width: number;
  readonly height: number;
  readonly model: Model;
  /** Milliseconds. */
  readonly timing: Detections["timing"];
  /** Best first; boxes in hundredths of a pixel, scores in ten-thousandths. */
  readonly detections: Detections["detections"];
}

export function recordOf({ frame, seq, detections, model, timing }: Detected): FrameRecord {
  const { stream, pts, time, picture } = frame;
  return {
    stream,
    seq,
    pts,
    time,
    width: picture.width,
    height: picture.height,
    model: { name: model.name, version: model.version },
    timing: {
      queueMs: hundredths(timing.queueMs),
      inferMs: hundredths(timing.inferMs),
      totalMs: hundredths(timing.totalMs),
    },
    detections: wireDetections(detections),
  };
}

/** In hundredths of a pixel and ten-thousandths of a score: finer than any detector is, and shorter on the wire. */
export function wireDetections(detections: readonly Detection[]): Detections["detections"] {
  return detections.map(({ bbox: [x, y, width, height], score, label, classId }) => ({
    bbox: [hundredths(x), hundredths(y), hundredths(width), hundredths(height)],
    score: Math.round(score * 10_000) / 10_000,
    label,
    classId,
  }));
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
