// Two people correct one capture: a save that names the state that it is based on replaces no other one.
import { z } from "zod";
import { CaptureInfo } from "./capture-schemas.ts";
import { MultiboxError } from "../../errors.ts";
import type { Capture } from "../../training/capture.ts";
import { namesTag, tagOf } from "../api/entity-tag.ts";
import { Problem } from "../api/problem.ts";

/** 412: what the request did not know of. */
export const CaptureConflict = z
  .strictObject({ ...Problem.shape, current: CaptureInfo.describe("The capture as it is now.") })
  .meta({
    id: "CaptureConflict",
    description: "Somebody else has changed the capture since (RFC 9457, with the capture).",
  });
export type CaptureConflict = z.infer<typeof CaptureConflict>;

/** Changes with what can be changed of a capture, and is the same after a restart. */
export function captureTag({ status, objects }: Pick<Capture, "status" | "objects">): string {
  return tagOf(JSON.stringify([status, objects.map(({ bbox, label }) => [bbox, label])]));
}

export function captureInfo({ hash: _hash, ...capture }: Capture): CaptureInfo {
  return { ...capture, etag: captureTag(capture) };
}

/** A request named another state of a capture than that it has. */
export class CaptureChanged extends MultiboxError {
  /** As it is now. */
  readonly current: Capture;

  constructor(current: Capture) {
    super(
      "CAPTURE_CHANGED",
      `The capture "${current.id}" has been changed since the answer that If-Match names.`,
      "Compare with `current`, and send the change with its `etag`.",
    );
    this.current = current;
  }
}

/** Fails with CaptureChanged where If-Match names other states only. Without If-Match nothing is checked. */
export function matching(ifMatch: string | undefined): (capture: Capture) => void {
  return (capture) => {
    if (ifMatch !== undefined && !namesTag(ifMatch, captureTag(capture))) throw new CaptureChanged(capture);
  };
}
