// `multibox models import`: weights that people have, made a model that multibox runs and trains.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { MultiboxError } from "../errors.ts";
import { type Bundle, type Provenance, type Quantization } from "../model/bundle.ts";
import { importSafetensors, quantizationFor } from "../model/export/safetensors.ts";
import { findSpec } from "../model/find-spec.ts";
import { buildSsd } from "../model/networks/ssd.ts";
import type { SsdSpec } from "../model/spec.ts";
import { readWeights, type ReadWeights, requireFile } from "../model/weights/read-weights.ts";
import { requireFree, writeModel } from "./model-folder.ts";

export interface ImportOptions {
  /** A name, or a JSON file; absent for a file that holds its own, as `multibox export --format safetensors` writes it. */
  readonly spec?: string;
  readonly out: string;
  /** What the weights' owner asks for; goes into the model. Absent: what the file says, or that it is not stated. */
  readonly licence?: string;
  /** Of what is drawn where the file is a classifier. */
  readonly seed: number;
  readonly force: boolean;
  readonly json: boolean;
}

/** Reads the weights, writes the model to the folder `out`, and prints what was read and where it is. */
export async function importModel(file: string, options: ImportOptions): Promise<void> {
  const { out, seed, json } = options;
  const model = await readModel(file, options);
  const { spec, weights, kind, drawn, subsampled } = model;
  const folder = await writeModel(out, model);
  const values = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  if (json) {
    console.log(JSON.stringify({ spec: spec.name, folder, kind, values, drawn, subsampled }));
    return;
  }
  console.log(`Read ${kind} from ${file}: ${weights.size} tensors, ${(values / 1e6).toFixed(1)} million values.`);
  if (drawn.length > 0) {
    const rooms = new Set(drawn.map((name) => (name.startsWith("base.") ? name : name.split(".")[0])));
    if (subsampled.length > 0) console.log(`Subsampled to the network's sizes: ${subsampled.join(", ")}.`);
    console.log(`Drawn at random with seed ${seed}: ${[...rooms].join(", ")}.`);
    console.log(
      `${spec.name} is in ${folder}, and has to be trained: the file classifies pictures and detects nothing.`,
    );
    return;
  }
  console.log(`${spec.name} is in ${folder}; for example: multibox detect --model ${folder} PICTURE`);
}

interface ReadModel extends ReadWeights {
  readonly spec: SsdSpec;
  readonly provenance: Provenance;
  readonly quantization?: Quantization | undefined;
}

async function readModel(file: string, { spec: wanted, out, licence, seed, force }: ImportOptions): Promise<ReadModel> {
  if (wanted === undefined) {
    const { spec, provenance, quantization } = await readExported(file);
    await requireFree(out, force);
    const said = licence === undefined ? provenance : { ...provenance, licence };
    return { ...(await readWeights(buildSsd(spec), file, seed)), spec, provenance: said, quantization };
  }
  const spec = await findSpec(wanted);
  await requireFree(out, force);
  const read = await readWeights(buildSsd(spec), file, seed);
  const source =
    read.drawn.length === 0 ? basename(file) : `${basename(file)}; layers it lacks drawn with seed ${seed}`;
  const provenance = { source, integrity: await integrityOf(file), licence: licence ?? "not stated" };
  const quantization = isSafetensors(file) ? quantizationFor(spec, await readFile(file)) : undefined;
  return { ...read, spec, provenance, quantization };
}

/** What a file of `multibox export --format safetensors` says of itself; of others nobody knows the network. */
async function readExported(file: string): Promise<Bundle> {
  await requireFile(file);
  if (isSafetensors(file)) return importSafetensors(await readFile(file), file);
  throw new MultiboxError(
    "SPEC_UNKNOWN",
    `${file} does not say which network it is of.`,
    "Name it, for example --spec ssd300-vgg16-torchvision.",
  );
}

function isSafetensors(file: string): boolean {
  return extname(file).toLowerCase() === ".safetensors";
}

/** As npm writes it. */
async function integrityOf(file: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest("base64")}`;
}
