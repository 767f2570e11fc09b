// The vocabulary of annotations: a header that says what was looked at and how, and a line a frame or picture with what is on it.
import { z } from "zod";

const Rational = z.tuple([z.int().positive(), z.int().positive()]);

/** `[numerator, denominator]`, both positive. */
export type Rational = z.infer<typeof Rational>;

export const VideoSource = z.strictObject({
  kind: z.literal("video"),
  path: z.string().describe('The file as it was named; "-" for standard input.'),
  bytes: z.int().nonnegative().optional().describe("Size of the file; absent for standard input."),
  digest: z.string().optional().describe("SHA-256 of the file's first and last mebibyte; absent for standard input."),
  width: z
    .int()
    .positive()
    .describe("Of the first frame as it is displayed: rotation is applied, pixels need not be square."),
  height: z.int().positive(),
  pixelAspect: Rational.optional().describe("Width to height of a pixel where they differ."),
  rotation: z
    .number()
    .describe("Degrees clockwise that a player turns the stored picture by; boxes are in the turned one."),
  codec: z.string().describe("As ffmpeg names it: h264."),
  frameRate: Rational.optional().describe("Average frames a second, where the file says it."),
  duration: z.number().nonnegative().optional().describe("Seconds, where the file says it."),
  timeBase: Rational.describe("Seconds of a tick of the source's clock; each pts is a whole number of ticks."),
});
export type VideoSource = z.infer<typeof VideoSource>;

/** Pictures in files of their own; each line says which. */
export const PictureSource = z.strictObject({ kind: z.literal("pictures") });
export type PictureSource = z.infer<typeof PictureSource>;

/** What changes the detections, all of it, so that the same settings on the same file give the same bytes. */
export const AnnotationSettings = z.strictObject({
  minScore: z.number(),
  labels: z.array(z.string()).optional().describe("Only these are kept; all when absent."),
  iouThreshold: z.number().optional().describe("This and what follows: as the model has it when absent."),
  maxDetections: z.int().optional(),
  nms: z.enum(["hard", "soft"]).optional(),
  classAgnostic: z.boolean().optional(),
  batch: z.int().positive().describe("Frames that go through the network at once."),
  every: z.int().positive().optional().describe("Only every nth frame, the first one included."),
  fps: z.number().positive().optional().describe("The most frames a second."),
  start: z.number().optional().describe("Seconds; frames before are left out."),
  end: z.number().optional().describe("Seconds; frames from there on are left out."),
  keyframes: z.boolean().optional().describe("Only key frames."),
});
export type AnnotationSettings = z.infer<typeof AnnotationSettings>;

export const AnnotationModel = z.strictObject({
  name: z.string(),
  version: z.string(),
  engine: z.string().describe("onnx:cpu"),
  precision: z.enum(["fp32", "int8"]),
  labels: z
    .array(z.strictObject({ classId: z.int().nonnegative(), label: z.string() }))
    .describe("All that the model can find, by rising id."),
});
export type AnnotationModel = z.infer<typeof AnnotationModel>;

/** The first line of a file of annotations. */
export const AnnotationHeader = z.strictObject({
  type: z.literal("header"),
  format: z.literal(1),
  multibox: z.string().describe("Version of multibox."),
  source: z.discriminatedUnion("kind", [VideoSource, PictureSource]),
  model: AnnotationModel,
  settings: AnnotationSettings,
});
export type AnnotationHeader = z.infer<typeof AnnotationHeader>;

const DetectionLine = z.strictObject({
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly(),
  score: z.number(),
  label: z.string(),
  classId: z.int(),
});

const FrameLine = z.strictObject({
  index: z.int().nonnegative().describe("Place of the frame in the video, from 0, as it is displayed."),
  pts: z.number().describe("Presentation time in the source, in seconds; never falls from line to line."),
  sourcePts: z
    .number()
    .optional()
    .describe(
      "The time as the file has it, where its clock has jumped before: pts continues from the frame before the jump.",
    ),
  width: z.int().positive().optional().describe("Of this frame, where it differs from the header's."),
  height: z.int().positive().optional(),
  detections: z.array(DetectionLine).readonly(),
});

const PictureLine = z.strictObject({
  index: z.int().nonnegative().describe("Place of the picture among those that were read, from 0."),
  file: z.string().describe("As it was named or found."),
  name: z
    .string()
    .optional()
    .describe("Where the image is within the folder that was named, with /; the file's own name when absent."),
  width: z.int().positive().describe("Of the picture, upright."),
  height: z.int().positive(),
  detections: z.array(DetectionLine).readonly(),
});

/** What is on one frame of a video. Boxes are `[x, y, width, height]` in pixels of the displayed picture. */
export type FrameLine = z.infer<typeof FrameLine>;
/** What is on one picture of its own. */
export type PictureLine = z.infer<typeof PictureLine>;

/** A video's lines are frames by rising index, pictures' lines are pictures by rising index. */
export const AnnotationLine = z.union([FrameLine, PictureLine]);
export type AnnotationLine = z.infer<typeof AnnotationLine>;

/** Width and height of the picture that a line is about. */
export function sizeOf(
  header: AnnotationHeader,
  line: AnnotationLine,
): { readonly width: number; readonly height: number } {
  if ("file" in line) return { width: line.width, height: line.height };
  if (header.source.kind === "video")
    return { width: line.width ?? header.source.width, height: line.height ?? header.source.height };
  throw new Error("A line about a frame stands in a file about pictures.");
}
