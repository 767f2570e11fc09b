// SsdSpec: everything about a detector that is a number or a name. Training, serving and export read the same one.
// Nothing but its schema: threads that detect are given specs that were read already, and need not load a validator.
import { z } from "zod";
import { LabelText } from "./label-text.ts";

const positive = z.number().positive();

/** Whole numbers are bounded far above what networks have, so that a hostile spec is refused before it takes memory. */
const count = (most: number): z.ZodInt => z.int().positive().max(most);
const MAX_CHANNELS = 65_536;
const MAX_SIDE = 4096;
const MAX_KERNEL = 64;
/** Of maps, of extra layers, and of boxes of a cell. */
const MAX_PARTS = 64;

/** How pictures become the network's input, as the model was trained. */
const InputSpec = z.strictObject({
  width: count(MAX_SIDE),
  height: count(MAX_SIDE),
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
  cells: count(MAX_SIDE),
  step: positive
    .optional()
    .describe("Input pixels between the centres of two cells, where that is not the input's side / cells."),
  feature: z
    .int()
    .nonnegative()
    .optional()
    .describe("Which of the network's feature maps it lies on, finest first; the map's own place when absent."),
  boxes: z.array(BoxShape).min(1).max(MAX_PARTS),
});

/** The network that makes the first feature maps, finest first. */
const BaseSpec = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("vgg16"),
    atrous: z
      .boolean()
      .describe(
        "fc6 subsampled and dilated behind a pool5 that keeps the size; else VGG16's own, with conv5_3 as a map more.",
      ),
  }),
  z.strictObject({ kind: z.literal("mobilenet-v1") }),
  z.strictObject({ kind: z.literal("mobilenet-v2") }),
]);

/** A feature layer behind the base: 1x1 to `narrow` channels, then `kernel` x `kernel` to `wide`. */
const ExtraLayer = z.strictObject({
  narrow: count(MAX_CHANNELS),
  wide: count(MAX_CHANNELS),
  kernel: count(MAX_KERNEL),
  stride: count(MAX_KERNEL),
  padding: z
    .union([z.literal("same"), z.int().nonnegative().max(MAX_KERNEL)])
    .describe("Pixels on each side, or TensorFlow's SAME."),
});
export type ExtraLayer = z.infer<typeof ExtraLayer>;

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
  cutFirst: z
    .boolean()
    .default(true)
    .describe(
      "Whether boxes are cut to the picture before they suppress others (torchvision), or when they are reported (Caffe). One that lies wholly off it suppresses none.",
    ),
  topKPerClass: z
    .int()
    .positive()
    .optional()
    .describe(
      "The number of best candidates of a class that reach the suppression (torchvision's topk_candidates, Caffe's nms_top_k).",
    ),
});
export type PostProcessSpec = z.infer<typeof PostProcessSpec>;

export const SsdSpec = z.strictObject({
  name: z.string(),
  version: z
    .string()
    .describe("Messages, metrics and captures say it. Versions that users train are counted on from it."),
  base: BaseSpec,
  extras: z.array(ExtraLayer).max(MAX_PARTS).describe("Each makes one more feature map of the last."),
  separable: z.boolean().describe("SSDLite: extra layers and predictors are a depthwise and a 1x1 convolution."),
  predictorKernel: count(MAX_KERNEL).describe("Side of the convolution that predicts from a map."),
  input: InputSpec,
  maps: z.array(MapSpec).min(1).max(MAX_PARTS).describe("The tiling, finest map first."),
  clipBoxes: z.boolean().describe("Whether sides of default boxes are cut to those of the picture, as in torchvision."),
  variances: z.tuple([positive, positive, positive, positive]).describe("Of the box coder: x, y, width, height."),
  scores: z.enum(["sigmoid", "softmax"]).describe("What makes scores of the logits."),
  labels: z
    .array(LabelText.nullable())
    .min(2)
    .max(MAX_CHANNELS)
    .describe(
      "One for each logit; the index is the class id. null is never reported: the background, or a gap in the ids. Logits with one label are kinds of one class, whose id is the first's.",
    ),
  postProcess: PostProcessSpec,
});
export type SsdSpec = z.infer<typeof SsdSpec>;
