// A spec by its name among the presets and the paper's variants, or from a JSON file.
import { elementCount } from "./weights/safetensors.ts";
import { readFile } from "node:fs/promises";
import { MultiboxError, sentenceOf } from "../errors.ts";
import { type Graph, weightShapes } from "./graph.ts";
import { buildSsd } from "./networks/ssd.ts";
import { SsdSpec } from "./spec.ts";
import { SPECS } from "./specs.ts";
import { VARIANTS } from "./variants.ts";

/**
 * The spec of that name, or the one in a file that ends in `.json`: a spec by itself, or a model's `model.json`. What is returned makes a
 * network. Fails with SPEC_UNKNOWN or SPEC_INVALID.
 */
export async function findSpec(nameOrFile: string): Promise<SsdSpec> {
  if (nameOrFile.endsWith(".json")) return readSpec(nameOrFile);
  const all = [...SPECS, ...VARIANTS];
  const spec = all.find(({ name }) => name === nameOrFile);
  if (spec) return spec;
  const names = all.map(({ name }) => name).join(", ");
  throw new MultiboxError(
    "SPEC_UNKNOWN",
    `There is no spec "${nameOrFile}".`,
    `Known are: ${names}; or give a JSON file.`,
  );
}

/** 2 GiB as floats, the most that one file of weights can hold. */
const MAX_WEIGHTS = 2 ** 29;

async function readSpec(file: string): Promise<SsdSpec> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw invalid(file, `it cannot be read: ${sentenceOf(error)}`);
  });
  const json = parseJson(text, file);
  const inModel = typeof json === "object" && json !== null && "spec" in json;
  const parsed = SsdSpec.safeParse(inModel ? json.spec : json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(file, `${issue!.path.join(".") || "the file"}: ${issue!.message}`);
  }
  let graph: Graph;
  try {
    graph = buildSsd(parsed.data);
  } catch (error) {
    throw invalid(file, sentenceOf(error));
  }
  const shapes = [...weightShapes(graph).values()];
  const weights = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  if (weights > MAX_WEIGHTS)
    throw invalid(file, `its network would have ${weights} weights, and ${MAX_WEIGHTS} are the most`);
  return parsed.data;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(file, "it is not JSON");
  }
}

function invalid(file: string, why: string): MultiboxError {
  const hint = "Start from the spec in the model.json of a model that works.";
  return new MultiboxError("SPEC_INVALID", `The spec in ${file} is not valid: ${why.replace(/\.$/, "")}.`, hint);
}
