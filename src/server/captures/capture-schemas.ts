// Captures as HTTP tells of them and lets them be changed.
import { z } from "zod";
import { Capture, CapturedObject, ReviewStatus } from "../../training/capture.ts";
import { MOST_OBJECTS } from "./proposal-events.ts";

/** The hash is for the server's own use. */
export const CaptureInfo = Capture.omit({ hash: true }).extend({
  etag: z
    .string()
    .describe(
      "Of `status` and `objects` as they are now: for If-Match, in quotes. The header ETag of a single capture has it, too.",
    ),
});
export type CaptureInfo = z.infer<typeof CaptureInfo>;

export const CaptureList = z.strictObject({
  captures: z.array(CaptureInfo).describe("Oldest first."),
  total: z.int().describe("How many match the query, on all pages."),
  labels: z.array(z.string()).describe("Of the objects of all captures, matching or not, by name."),
  next: z.string().optional().describe("The cursor of the next page; absent on the last."),
});
export type CaptureList = z.infer<typeof CaptureList>;

export const CapturePatch = z
  .strictObject({
    status: ReviewStatus.optional(),
    objects: z.array(CapturedObject).max(MOST_OBJECTS).optional().describe("All that is in the picture."),
  })
  .refine(({ status, objects }) => status !== undefined || objects !== undefined, "must change status or objects");
export type CapturePatch = z.infer<typeof CapturePatch>;
