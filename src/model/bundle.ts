// A model on disk: a folder with model.json (the spec, where it came from) and weights.safetensors.
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { MultiboxError, sentenceOf, systemCode } from "../errors.ts";
import { requireFormat } from "../file-format.ts";
import { replaceFolder } from "../whole-file.ts";
import type { Network, Ranges } from "./engines/engine.ts";
import { type Graph, weightShapes } from "./graph.ts";
import { buildSsd } from "./networks/ssd.ts";
import { SsdSpec } from "./spec.ts";
import { readSafetensors, type Tensors, writeSafetensors } from "./weights/safetensors.ts";
import { recordOf } from "../record-of.ts";

const WEIGHTS_FILE = "weights.safetensors";

export const Provenance = z.strictObject({
  source: z.string().describe("Where the weights came from, with version."),
  integrity: z.string().optional().describe("Of what was fetched, as npm writes it."),
  licence: z.string(),
});
export type Provenance = z.infer<typeof Provenance>;

export const Quantization = z.strictObject({
  method: z.string().describe("How the ranges were found: min-max or a percentile, and on which pictures."),
  pictures: z.int().positive(),
  ranges: recordOf(z.string(), z.tuple([z.number(), z.number()])).describe("Of each node's output: least, greatest."),
});
/** The ranges that int8 arithmetic needs, and where they come from. */
export type Quantization = z.infer<typeof Quantization>;

const ModelFile = z.strictObject({
  format: z.literal(1),
  spec: SsdSpec,
  provenance: Provenance,
  quantization: Quantization.optional(),
  weights: z.strictObject({ file: z.literal(WEIGHTS_FILE), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});

/** A model in memory, checked: the weights are the ones that were written and fit the network. */
export interface Bundle extends Network {
  readonly spec: SsdSpec;
  readonly provenance: Provenance;
  readonly quantization?: Quantization | undefined;
}

/** Writes a bundle under a temporary name and renames it, so that a folder of this name is always whole. Replaces an older one. */
export async function writeBundle(
  folder: string,
  spec: SsdSpec,
  weights: Tensors,
  provenance: Provenance,
  quantization?: Quantization,
): Promise<void> {
  const bytes = writeSafetensors(weights);
  const file = { file: WEIGHTS_FILE, sha256: sha256(bytes) };
  const model = { format: 1, spec, provenance, quantization, weights: file };
  const json = `${JSON.stringify(ModelFile.parse(model), null, 2)}\n`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await replaceFolder(
      folder,
      new Map<string, string | Uint8Array>([
        [WEIGHTS_FILE, bytes],
        ["model.json", json],
      ]),
    );
  } catch (cause) {
    throw writeError(cause, dirname(folder));
  }
}

/** Why a model could not be written to a folder, as a sentence. */
export function writeError(cause: unknown, folder: string): unknown {
  switch (systemCode(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new MultiboxError(
        "DISK_FULL",
        `There is no space left in ${folder}.`,
        "Free about 300 MB, or choose another --cache-dir.",
        { cause },
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
      return new MultiboxError("NOT_WRITABLE", `${folder} cannot be written to.`, "Choose another --cache-dir.", {
        cause,
      });
    default:
      return cause;
  }
}

/** Reads and checks a bundle. Fails with MODEL_NOT_FOUND, MODEL_CORRUPT or FILE_NEWER. */
export async function readBundle(folder: string): Promise<Bundle> {
  const { spec, provenance, quantization, weights } = parseModelFile(await readPart(folder, "model.json"), folder);
  const bytes = await readPart(folder, WEIGHTS_FILE);
  if (sha256(bytes) !== weights.sha256)
    throw corrupt(folder, `${WEIGHTS_FILE} is not the file that was written (its SHA-256 differs)`);
  const tensors = readSafetensors(bytes, join(folder, WEIGHTS_FILE));
  const graph = buildGraph(spec, folder);
  const wrong = misfit(graph, tensors);
  if (wrong !== undefined) throw corrupt(folder, wrong);
  return { spec, provenance, quantization, ranges: rangesOf(quantization), graph, weights: tensors };
}

/** Only the spec of a bundle, without its weights. Fails likewise. */
export async function readSpec(folder: string): Promise<SsdSpec> {
  return parseModelFile(await readPart(folder, "model.json"), folder).spec;
}

/** The first weight that is missing or of another shape than the graph wants, in words. */
export function misfit(graph: Graph, weights: Tensors): string | undefined {
  for (const [name, shape] of weightShapes(graph)) {
    const found = weights.get(name)?.shape.join("x") ?? "nothing";
    if (found !== shape.join("x")) return `${name} should be ${shape.join("x")} and is ${found}`;
  }
  return undefined;
}

/** Ranges as engines take them. */
export function rangesOf(quantization: Quantization | undefined): Ranges | undefined {
  return quantization && new Map(Object.entries(quantization.ranges));
}

function buildGraph(spec: SsdSpec, folder: string): Graph {
  try {
    return buildSsd(spec);
  } catch (error) {
    throw corrupt(folder, `model.json: ${sentenceOf(error).replace(/\.$/, "")}`);
  }
}

/** MODEL_CORRUPT, with what to do. */
export function corrupt(folder: string, why: string): MultiboxError {
  return new MultiboxError(
    "MODEL_CORRUPT",
    `The model in ${folder} is damaged: ${why}.`,
    "Fetch it again with `multibox models pull NAME --force`, or restore the folder.",
  );
}

function parseModelFile(bytes: Uint8Array, folder: string): z.infer<typeof ModelFile> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw corrupt(folder, "model.json is not JSON");
  }
  requireFormat(json, join(folder, "model.json"));
  const parsed = ModelFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw corrupt(folder, `model.json: ${issue!.path.join(".") || "the file"}: ${issue!.message}`);
}

async function readPart(folder: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT" && systemCode(cause) !== "ENOTDIR") throw cause;
    throw new MultiboxError(
      "MODEL_NOT_FOUND",
      `There is no model in ${folder}: ${file} is missing.`,
      "`multibox models list` shows what there is.",
      {
        cause,
      },
    );
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
