// A frame's detections as bytes, for the history: 12 bytes, and 20 for each detection.
import type { FrameRecord } from "./frame-record.ts";

/** What the bytes hold of a frame. */
export type FrameBody = Pick<FrameRecord, "timing" | "detections">;

/** A label and its class, as the history numbers them. */
export interface KeptLabel {
  readonly label: string;
  readonly classId: number;
}

const HEAD_BYTES = 12;
const DETECTION_BYTES = 20;

/** Little-endian: three float32 of `timing`; for each detection uint16 label, uint16 score, four int32 of `bbox`. */
export function encodeBody({ timing, detections }: FrameBody, idOf: (label: KeptLabel) => number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + DETECTION_BYTES * detections.length);
  let at = bytes.writeFloatLE(timing.queueMs, 0);
  at = bytes.writeFloatLE(timing.inferMs, at);
  at = bytes.writeFloatLE(timing.totalMs, at);
  for (const detection of detections) {
    at = bytes.writeUInt16LE(idOf(detection), at);
    at = bytes.writeUInt16LE(Math.round(detection.score * SCORE_STEPS), at);
    for (const side of detection.bbox) at = bytes.writeInt32LE(Math.round(side * PIXEL_STEPS), at);
  }
  return bytes;
}

/** The same numbers again, as fine as `recordOf` has made them. */
export function decodeBody(bytes: Buffer, labelOf: (id: number) => KeptLabel): FrameBody {
  const float = (at: number): number => Math.round(bytes.readFloatLE(at) * 100) / 100;
  const side = (at: number): number => bytes.readInt32LE(at) / PIXEL_STEPS;
  const detections: FrameBody["detections"] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += DETECTION_BYTES) {
    const { label, classId } = labelOf(bytes.readUInt16LE(at));
    const score = bytes.readUInt16LE(at + 2) / SCORE_STEPS;
    detections.push({ bbox: [side(at + 4), side(at + 8), side(at + 12), side(at + 16)], score, label, classId });
  }
  return { timing: { queueMs: float(0), inferMs: float(4), totalMs: float(8) }, detections };
}

const SCORE_STEPS = 10_000;
const PIXEL_STEPS = 100;
