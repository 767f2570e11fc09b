// Weight files that people have, told apart by what is in them, made the weights of a graph.
import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { MultiboxError, systemCode } from "../../errors.ts";
import { type Graph, weightShapes } from "../graph.ts";
import { readCaffe } from "./caffe-file.ts";
import { isCaffeSsd, ssdFromCaffe } from "./from-caffe.ts";
import { isTorchSsd, ssdFromTorch } from "./from-torch.ts";
import { readSafetensors, type Tensors } from "./safetensors.ts";
import { startFromVgg16 } from "./start-from-vgg16.ts";
import { take } from "./take.ts";
import { readTorch } from "./torch-file.ts";
import { isCaffeVgg16, isTorchVgg16, type Vgg16, vgg16FromCaffe, vgg16FromTorch } from "./vgg16.ts";

export interface ReadWeights {
  readonly weights: Tensors;
  /** What the file is, for people. */
  readonly kind: string;
  /** Layers that the file has no weights for, drawn at random; none for a detector. */
  readonly drawn: readonly string[];
  /** Layers of which only every so many-th weight was taken; none for a detector. */
  readonly subsampled: readonly string[];
}

/**
 * Reads a `.pth`, `.pt`, `.safetensors` or `.caffemodel` file: torchvision's or Caffe's SSD with VGG16, multibox's own weights, or a VGG16
 * that classifies, to start a training from; `seed` is for what is drawn then. Fails with WEIGHTS_NOT_FOUND, WEIGHTS_UNREADABLE,
 * WEIGHTS_UNSAFE, WEIGHTS_UNKNOWN, WEIGHTS_MISSING, WEIGHTS_MISFIT or WEIGHTS_NOT_FINITE.
 */
export async function readWeights(graph: Graph, file: string, seed: number): Promise<ReadWeights> {
  await requireFile(file);
  const start = (kind: string, vgg16: Vgg16): ReadWeights => ({ kind, ...startFromVgg16(graph, vgg16, seed) });
  const detector = (kind: string, weights: Tensors): ReadWeights => ({ kind, weights, drawn: [], subsampled: [] });
  if (extname(file).toLowerCase() === ".caffemodel") {
    const blobs = await readCaffe(file);
    if (isCaffeSsd(blobs)) return detector("Caffe's SSD with VGG16", ssdFromCaffe(graph, blobs, file));
    if (isCaffeVgg16(blobs)) return start("Caffe's VGG16", vgg16FromCaffe(blobs, file));
    throw unknown(file, blobs);
  }
  const tensors = await readTensors(file);
  if (isTorchSsd(tensors)) return detector("torchvision's SSD with VGG16", ssdFromTorch(graph, tensors, file));
  if (isTorchVgg16(tensors)) return start("torchvision's VGG16", vgg16FromTorch(tensors, file));
  if (tensors.has("head0.offsets.weight") || tensors.has("head0.offsets.project.weight"))
    return detector("multibox's own weights", ownWeights(graph, tensors, file));
  throw unknown(file, tensors);
}

async function readTensors(file: string): Promise<Tensors> {
  switch (extname(file).toLowerCase()) {
    case ".pth":
    case ".pt":
      return readTorch(file);
    case ".safetensors":
      return readSafetensors(await readFile(file), file);
    default:
      throw new MultiboxError(
        "WEIGHTS_UNKNOWN",
        `${file} is of no format that is known by its name.`,
        "Give a .pth, .pt, .safetensors or .caffemodel file.",
      );
  }
}

function ownWeights(graph: Graph, tensors: Tensors, file: string): Tensors {
  const source = { tensors, file, spec: graph.name };
  return new Map([...weightShapes(graph)].map(([name, shape]) => [name, take(source, name, shape)]));
}

function unknown(file: string, tensors: Tensors): MultiboxError {
  const first = [...tensors.keys()].slice(0, 3).join(", ");
  return new MultiboxError(
    "WEIGHTS_UNKNOWN",
    `${file} is of a network that is not known; its first tensors are ${first}.`,
    "Known are torchvision's ssd300_vgg16 and vgg16, Caffe's SSD and VGG16, and multibox's own weights.",
  );
}

/** readFile takes no more, and no such model comes near it. */
const MAX_BYTES = 2 ** 31 - 1;

/** Fails with WEIGHTS_NOT_FOUND. */
export async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch((cause: unknown) => {
    if (systemCode(cause) === undefined) throw cause;
    const code = systemCode(cause)!;
    const gone = code === "ENOENT" || code === "ENOTDIR";
    const what = gone ? `There is no file ${file}.` : `${file} cannot be read (${code}).`;
    const hint = gone ? "Check the path." : "Make it readable, or give another file.";
    throw new MultiboxError("WEIGHTS_NOT_FOUND", what, hint, { cause });
  });
  if (!found.isFile())
    throw new MultiboxError("WEIGHTS_NOT_FOUND", `${file} is not a file.`, "Give the weights themselves.");
  if (found.size > MAX_BYTES)
    throw new MultiboxError("WEIGHTS_UNREADABLE", `${file} has ${found.size} bytes, and ${MAX_BYTES} are the most.`);
}
