// The networks of benches as bundles: SSDLite as people have it, the paper's two with weights that nobody trained.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, writeBundle } from "../src/model/bundle.ts";
import { compileOnnx } from "../src/model/compile/onnx.ts";
import type { RgbImage } from "../src/model/detection.ts";
import type { Graph } from "../src/model/graph.ts";
import { trimKernels } from "../src/model/export/trim-kernels.ts";
import { buildSsd } from "../src/model/networks/ssd.ts";
import { observeRanges } from "../src/model/observe-ranges.ts";
import { SPECS } from "../src/model/specs.ts";
import { yuvToRgb } from "../src/pipeline/yuv-to-rgb.ts";
import { randomWeights } from "../test/model/support/random-weights.ts";
import { benchFrames, benchModel, benchVideo } from "./harness.ts";

/** A network on disk: a bundle with ranges for int8, and `model.onnx` beside it. */
export interface BenchNetwork {
  readonly title: string;
  readonly graph: Graph;
  readonly folder: string;
}

/** By what the command line calls them; the specs have 21 classes where the paper's have, as Table 7 was measured on VOC. */
export const MODELS: ReadonlyMap<string, { readonly title: string; readonly spec: string }> = new Map([
  ["ssd300", { title: "SSD300", spec: "ssd300-vgg16-voc" }],
  ["ssd512", { title: "SSD512", spec: "ssd512-vgg16-voc" }],
  ["ssdlite", { title: "SSDLite 300", spec: "ssdlite-mobilenet-v2" }],
]);

/** Writes the network below `scratch`. */
export async function benchNetwork(model: string, scratch: string): Promise<BenchNetwork> {
  const { title, spec } = MODELS.get(model)!;
  const bundle = model === "ssdlite" ? (await benchModel()).bundle : untrained(spec);
  const folder = join(scratch, model);
  await writeBundle(folder, bundle.spec, bundle.weights, bundle.provenance, await quantizationOf(bundle));
  // As `multibox export` writes it, which OpenCV reads.
  const trimmed = trimKernels(bundle.graph, bundle.weights);
  await writeFile(join(folder, "model.onnx"), compileOnnx(trimmed.graph, trimmed.weights));
  return { title, graph: bundle.graph, folder };
}

/** Speed does not depend on what weights are, as long as values neither fade nor explode. */
export function untrained(name: string): Bundle {
  const spec = SPECS.find((one) => one.name === name)!;
  const graph = buildSsd(spec);
  return { spec, graph, weights: randomWeights(graph, 1), provenance: { source: "random numbers", licence: "none" } };
}

/** The bundle's own ranges, or those seen on a few frames. */
export async function quantizationOf(bundle: Bundle): Promise<Bundle["quantization"]> {
  return bundle.quantization ?? (await observeRanges(bundle, frames(), { method: { kind: "min-max" }, threads: 0 }));
}

async function* frames(): AsyncGenerator<RgbImage> {
  for (const frame of await benchFrames(await benchVideo("vtest.avi"), 4)) yield yuvToRgb(frame);
}
