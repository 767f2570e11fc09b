// Captures as HTTP tells of them and lets them be changed.
import { z } from "zod";
import { Capture, CapturedObject, ReviewStatus } from "../../training/capture.ts";

/** The hash is for the server's own use. */
export const CaptureInfo = Capture.omit({ hash: true });
export type CaptureInfo = z.infer<typeof CaptureInfo>;

export const CaptureList = z.strictObject({
  captures: z.array(CaptureInfo).describe("Oldest first."),
  total: z.int().describe("How many match the query, on all pages."),
  next: z.string().optional().describe("The cursor of the next page; absent on the last."),
});
export type CaptureList = z.infer<typeof CaptureList>;

export const CapturePatch = z
  .strictObject({
    status: ReviewStatus.optional(),
    objects: z.array(CapturedObject).max(500).optional().describe("All that is in the picture."),
  })
  .refine(({ status, objects }) => status !== undefined || objects !== undefined, "must change status or objects");
export type CapturePatch = z.infer<typeof CapturePatch>;
