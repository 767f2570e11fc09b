// A capture that a person has accepted, with one object on it.
import type { Capture } from "../../../../src/training/capture.ts";

export function capture(id: string, changes: Partial<Capture> = {}): Capture {
  return {
    id,
    stream: "yard",
    seq: 1,
    pts: 1,
    time: "2026-01-01T12:00:00.000Z",
    reason: "call",
    width: 100,
    height: 50,
    bytes: 3,
    hash: "0".repeat(16),
    model: { name: "red-finder", version: "1" },
    proposed: [],
    objects: [{ bbox: [1, 2, 30, 20], label: "trailer" }],
    status: "accepted",
    ...changes,
  };
}
