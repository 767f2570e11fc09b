// SsdSpec: everything about a detector that is a number or a name. Training, serving and export read the same one.
import { z } from "zod";

const positive = z.number().positive();

/** How pictures become the network's input, as the model was trained. */
const InputSpec = z.strictObject({
  width: z.int().positive(),
  height: z.int().positive(),
  resize: z
    .enum(["asymmetric", "half-pixel"])
    .describe(
      "Bilinear without a low-pass filter; source = i * in / out (TensorFlow 1) or (i + 0.5) * in / out - 0.5.",
    ),
  mean: z.tuple([z.number(), z.number(), z.number()]).describe("Subtracted from R, G, B of 0..255."),
  scale: positive.describe("Multiplied after the mean was subtracted."),
});

/** One default box of a cell: width = scale * sqrt(ratio), height = scale / sqrt(ratio), as shares of the input's side. */
const BoxShape = z.strictObject({ scale: positive, ratio: positive });

/** One prediction map of `cells * cells` cells. */
const MapSpec = z.strictObject({
  cells: z.int().positive(),
  boxes: z.array(BoxShape).min(1),
});

/** Defaults of post-processing; a run may choose others. */
const PostProcessSpec = z.strictObject({
  minScore: z.number().min(0).max(1),
  iouThreshold: z.number().min(0).max(1).describe("NMS drops a box that overlaps a better one of its class by more."),
  maxDetections: z.int().positive().describe("Detections kept for a picture."),
  suppression: z
    .enum(["hard", "soft"])
    .default("hard")
    .describe(
      "hard: greedy NMS. soft: Gaussian Soft-NMS, where overlap lowers a score instead (Bodla et al., ICCV 2017).",
    ),
  softSigma: positive.default(0.5).describe("Of Soft-NMS: a score is multiplied by exp(-IoU^2 / softSigma)."),
  classAgnostic: z
    .boolean()
    .default(false)
    .describe("Whether a box suppresses those of every class, not only its own."),
  topKPerClass: z
    .int()
    .positive()
    .optional()
    .describe(
      "Only so many best candidates of a class reach the suppression (torchvision's topk_candidates, Caffe's nms_top_k).",
    ),
});
export type PostProcessSpec = z.infer<typeof PostProcessSpec>;

export const SsdSpec = z.strictObject({
  name: z.string(),
  version: z.string(),
  base: z.enum(["mobilenet-v2"]).describe("The network that makes the first two prediction maps."),
  input: InputSpec,
  maps: z.array(MapSpec).min(1).describe("The tiling, finest map first."),
  variances: z.tuple([positive, positive, positive, positive]).describe("Of the box coder: x, y, width, height."),
  scores: z.enum(["sigmoid", "softmax"]).describe("What makes scores of the logits."),
  labels: z
    .array(z.string().nullable())
    .min(2)
    .describe(
      "One for each logit; the index is the class id. null is never reported: the background, or a gap in the ids.",
    ),
  postProcess: PostProcessSpec,
});
export type SsdSpec = z.infer<typeof SsdSpec>;

/** How many default boxes the tiling has. */
export function boxCount(spec: SsdSpec): number {
  return spec.maps.reduce((sum, map) => sum + map.cells * map.cells * map.boxes.length, 0);
}

/** How a run post-processes: as the spec says, but for what is chosen; what is undefined is not chosen. */
export function choosePostProcess(spec: SsdSpec, chosen: Partial<PostProcessSpec> = {}): PostProcessSpec {
  const said = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  return { ...spec.postProcess, ...said };
}
