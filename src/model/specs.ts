// The presets: every number of a named detector in one place, the code around it has none.
import { COCO_80_LABELS, COCO_LABELS, ILSVRC_LABELS, VOC_LABELS } from "./labels.ts";
import type { ExtraLayer, PostProcessSpec, SsdSpec } from "./spec.ts";
import { evenScales, halvingExtras, releasedTiling, type Sizes } from "./tilings.ts";

/** What the paper's figures were measured with (end of section 3.1). */
export const PAPER_POST_PROCESS: PostProcessSpec = {
  minScore: 0.01,
  iouThreshold: 0.45,
  maxDetections: 200,
  suppression: "hard",
  softSigma: 0.5,
  classAgnostic: false,
  cutFirst: true,
};

/** Both TensorFlow models: pixels to -1..1, sampled at i * in / out. */
const TENSORFLOW: Pick<SsdSpec, "variances" | "scores" | "clipBoxes" | "postProcess"> = {
  variances: [0.1, 0.1, 0.2, 0.2],
  scores: "sigmoid",
  clipBoxes: false,
  postProcess: { ...PAPER_POST_PROCESS },
};
const TENSORFLOW_PIXELS = { resize: "asymmetric" as const, mean: [127.5, 127.5, 127.5] as [number, number, number] };

/** TensorFlow's ssdlite_mobilenet_v2_coco: 300 x 300, 1917 default boxes. */
export const SSDLITE_MOBILENET_V2: SsdSpec = {
  ...TENSORFLOW,
  name: "ssdlite-mobilenet-v2",
  version: "2",
  base: { kind: "mobilenet-v2" },
  extras: halvingExtras([
    [256, 512],
    [128, 256],
    [128, 256],
    [64, 128],
  ]),
  separable: true,
  predictorKernel: 3,
  input: { width: 300, height: 300, ...TENSORFLOW_PIXELS, scale: 1 / 127.5 },
  maps: evenScales([19, 10, 5, 3, 2, 1], 0.2, 0.95),
  labels: [...COCO_LABELS],
};

/** The face detector of face-api: TensorFlow's SSD on MobileNetV1, 512 x 512, 5118 default boxes. */
export const SSD_MOBILENET_V1_FACE: SsdSpec = {
  ...TENSORFLOW,
  name: "ssd-mobilenet-v1-face",
  version: "1",
  base: { kind: "mobilenet-v1" },
  extras: halvingExtras([
    [256, 512],
    [128, 256],
    [128, 256],
    [64, 128],
  ]),
  separable: false,
  predictorKernel: 1,
  input: { width: 512, height: 512, ...TENSORFLOW_PIXELS, scale: 1 / 127.5 },
  maps: evenScales([32, 16, 8, 4, 2, 1], 0.2, 0.95, "second"),
  // Its predictors have a column more, which face-api does not use either.
  labels: [null, "face", null],
};

/** What all VGG16 models share. A score must be among its class's 400 best, as in Caffe's and torchvision's release. */
const VGG16: Omit<SsdSpec, "name" | "input" | "extras" | "maps" | "labels"> = {
  version: "1",
  base: { kind: "vgg16", atrous: true },
  separable: false,
  predictorKernel: 3,
  clipBoxes: false,
  variances: [0.1, 0.1, 0.2, 0.2],
  scores: "softmax",
  postProcess: { ...PAPER_POST_PROCESS, cutFirst: false, topKPerClass: 400 },
};

/** The mean of ILSVRC's pictures, as the released Caffe models subtract it (there in the order B, G, R). */
const CAFFE_PIXELS = { resize: "half-pixel" as const, mean: [123, 117, 104] as [number, number, number], scale: 1 };

const halving = (narrow: number, wide: number): ExtraLayer => ({ narrow, wide, kernel: 3, stride: 2, padding: 1 });
/** Without padding, which takes two pixels off the map. */
const shrinking = (narrow: number, wide: number): ExtraLayer => ({ narrow, wide, kernel: 3, stride: 1, padding: 0 });

/** SSD300 with some labels and sizes of boxes (SSD paper, figure 2; steps as in the released models). */
export function ssd300(name: string, labels: readonly (string | null)[], sizes: Sizes): SsdSpec {
  return {
    ...VGG16,
    name,
    input: { width: 300, height: 300, ...CAFFE_PIXELS },
    extras: [halving(256, 512), halving(128, 256), shrinking(128, 256), shrinking(128, 256)],
    maps: releasedTiling(300, [38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], sizes),
    labels: [...labels],
  };
}

/** SSD512 likewise: one halving more, and a last layer of 4 x 4. */
export function ssd512(name: string, labels: readonly (string | null)[], sizes: Sizes): SsdSpec {
  const last: ExtraLayer = { narrow: 128, wide: 256, kernel: 4, stride: 1, padding: 1 };
  return {
    ...VGG16,
    name,
    input: { width: 512, height: 512, ...CAFFE_PIXELS },
    extras: [halving(256, 512), halving(128, 256), halving(128, 256), halving(128, 256), last],
    maps: releasedTiling(512, [64, 32, 16, 8, 4, 2, 1], [8, 16, 32, 64, 128, 256, 512], sizes),
    labels: [...labels],
  };
}

const RATIOS_300 = [[2], [2, 3], [2, 3], [2, 3], [2], [2]];
const RATIOS_512 = [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]];
/** Sizes of the released models in pixels; those of COCO, for its smaller objects, served ILSVRC too (paper, 3.4 and 3.5). */
export const VOC_300: Sizes = { pixels: [30, 60, 111, 162, 213, 264, 315], ratios: RATIOS_300 };
const COCO_300: Sizes = { pixels: [21, 45, 99, 153, 207, 261, 315], ratios: RATIOS_300 };
const VOC_512: Sizes = { pixels: [35.84, 76.8, 153.6, 230.4, 307.2, 384, 460.8, 537.6], ratios: RATIOS_512 };
const COCO_512: Sizes = { pixels: [20.48, 51.2, 133.12, 215.04, 296.96, 378.88, 460.8, 542.72], ratios: RATIOS_512 };

const SSD300_COCO = ssd300("ssd300-vgg16-coco", COCO_80_LABELS, COCO_300);

/** torchvision's `ssd300_vgg16`: COCO's original ids, ILSVRC's mean to more digits, default boxes cut to the picture's sides. */
const SSD300_TORCHVISION: SsdSpec = {
  ...SSD300_COCO,
  name: "ssd300-vgg16-torchvision",
  input: { ...SSD300_COCO.input, mean: [0.48235 * 255, 0.45882 * 255, 0.40784 * 255] },
  clipBoxes: true,
  labels: [...COCO_LABELS],
  postProcess: { ...SSD300_COCO.postProcess, cutFirst: true },
};

export const SPECS: readonly SsdSpec[] = [
  SSDLITE_MOBILENET_V2,
  SSD_MOBILENET_V1_FACE,
  ssd300("ssd300-vgg16-voc", VOC_LABELS, VOC_300),
  SSD300_COCO,
  ssd300("ssd300-vgg16-ilsvrc", ILSVRC_LABELS, COCO_300),
  SSD300_TORCHVISION,
  ssd512("ssd512-vgg16-voc", VOC_LABELS, VOC_512),
  ssd512("ssd512-vgg16-coco", COCO_80_LABELS, COCO_512),
  ssd512("ssd512-vgg16-ilsvrc", ILSVRC_LABELS, COCO_512),
];
