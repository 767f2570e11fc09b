// One captured frame: what is known of it, what the model proposed, and what a person says is there.
import { z } from "zod";
import { LabelText } from "../model/label-text.ts";

const BoxTuple = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .describe("[x, y, width, height] in pixels of the picture.");

/** An object that a person has marked or let stand. */
export const CapturedObject = z.strictObject({ bbox: BoxTuple, label: LabelText.trim().min(1).max(100) });
export type CapturedObject = z.infer<typeof CapturedObject>;

/** `new`: nobody has looked yet. `accepted`: its objects are all there is in the picture. `skipped`: not to be learned from. */
export const ReviewStatus = z.enum(["new", "accepted", "skipped"]);
export type ReviewStatus = z.infer<typeof ReviewStatus>;

/** `NAME.capture.json`, beside `NAME.jpg`. Written without `format`: 0.1.0 deletes the image where it does not know a member. */
export const Capture = z.strictObject({
  id: z.string(),
  stream: z.string(),
  seq: z.int().describe("Of the frame in its stream."),
  pts: z.number().describe("The frame's presentation time in its source, in seconds."),
  time: z.string().describe("When the frame was decoded, ISO 8601."),
  reason: z.string().describe("The rule that kept it, or `call`, or `import`."),
  width: z.int().positive(),
  height: z.int().positive(),
  bytes: z.int().nonnegative().describe("Of the JPEG."),
  hash: z.string().describe("Perceptual hash, 64 bits in hexadecimal digits."),
  model: z.strictObject({ name: z.string(), version: z.string() }).describe("That made the proposals."),
  proposed: z
    .array(z.strictObject({ bbox: BoxTuple, score: z.number(), label: z.string() }))
    .describe("What the model found."),
  // A model's labels are what they are; only what people send is held to less.
  objects: z
    .array(CapturedObject.extend({ label: LabelText }))
    .describe("What is there: the proposals until somebody corrects them."),
  status: ReviewStatus,
});
export type Capture = z.infer<typeof Capture>;
