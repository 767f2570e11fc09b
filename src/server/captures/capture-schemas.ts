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
    objects: z.array(CapturedObject).max(1000).optional().describe("All that is in the picture."),
  })
  .refine(({ status, objects }) => status !== undefined || objects !== undefined, "must change status or objects");
export type CapturePatch = z.infer<typeof CapturePatch>;

export const CaptureQuery = z.strictObject({
  status: ReviewStatus.optional(),
  stream: z.string().optional(),
  label: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional().describe("The `next` of the page before."),
});
