// VGG16 as it was trained to classify, to start the training of a detector from: its convolutions, fc6 and fc7 by our names.
import { swapColours } from "./from-caffe.ts";
import { VGG16_FEATURES } from "./from-torch.ts";
import type { Tensor, Tensors } from "./safetensors.ts";

/** A classifier's layers, as `conv1_1.weight` ... `fc7.bias`, for pictures in R, G, B. */
export interface Vgg16 {
  readonly tensors: Tensors;
  readonly file: string;
  /** What it was trained on: `(value - mean) * scale` of values 0..255. */
  readonly pixels: Pixels;
}

interface Pixels {
  readonly mean: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
}

/** Whether these are the names of torchvision's `vgg16`. */
export function isTorchVgg16(tensors: Tensors): boolean {
  return tensors.has("features.0.weight") && tensors.has("features.28.weight");
}

/** Whether these are the names of Caffe's VGG16, with or without what makes it a detector. */
export function isCaffeVgg16(blobs: Tensors): boolean {
  return blobs.has("conv1_1.weight") && blobs.has("conv5_3.weight");
}

/**
 * torchvision's `vgg16`. Its IMAGENET1K_FEATURES, which are Caffe's and were published to start SSDs from, have NaN for a
 * classifier, and that is how they are known.
 */
export function vgg16FromTorch(theirs: Tensors, file: string): Vgg16 {
  const tensors = new Map<string, Tensor>();
  const copy = (from: string, to: string): void => {
    for (const kind of ["weight", "bias"]) {
      const tensor = theirs.get(`${from}.${kind}`);
      if (tensor) tensors.set(`${to}.${kind}`, tensor);
    }
  };
  for (const [name, place] of VGG16_FEATURES) copy(`features.${place}`, name);
  const classifies = !theirs.get("classifier.0.weight")?.data.every((value) => Number.isNaN(value));
  if (!classifies) return { tensors, file, pixels: CAFFE_PIXELS };
  copy("classifier.0", "fc6");
  copy("classifier.3", "fc7");
  return { tensors, file, pixels: TORCHVISION_PIXELS };
}

/** Caffe's VGG16, whole or reduced (`VGG_ILSVRC_16_layers_fc_reduced`). */
export function vgg16FromCaffe(blobs: Tensors, file: string): Vgg16 {
  const first = blobs.get("conv1_1.weight");
  const tensors = new Map(blobs);
  if (first?.shape[1] === 3) tensors.set("conv1_1.weight", swapColours(first));
  return { tensors, file, pixels: CAFFE_PIXELS };
}

/** The mean that Simonyan and Zisserman subtracted, in R, G, B. */
const CAFFE_PIXELS: Pixels = { mean: [123.68, 116.779, 103.939], scale: [1, 1, 1] };

/** torchvision divides by 255, then subtracts a mean and divides by a deviation. */
const TORCHVISION_PIXELS: Pixels = {
  mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
  scale: [1 / (0.229 * 255), 1 / (0.224 * 255), 1 / (0.225 * 255)],
};
