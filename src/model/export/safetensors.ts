// A model as one safetensors file: the weights by their names, and in its metadata what else a bundle holds.
import { z } from "zod";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { type Bundle, misfit, Provenance, Quantization, rangesOf } from "../bundle.ts";
import type { Graph } from "../graph.ts";
import { buildSsd } from "../networks/ssd.ts";
import { SsdSpec } from "../spec.ts";
import { readSafetensors, type Tensors, writeSafetensors } from "../weights/safetensors.ts";
import { exportMetadata } from "./metadata.ts";

/** The file's bytes. */
export function exportSafetensors(bundle: Bundle): Uint8Array {
  const { quantization } = bundle;
  const metadata = exportMetadata(bundle);
  return writeSafetensors(
    bundle.weights,
    quantization ? { ...metadata, quantization: JSON.stringify(quantization) } : metadata,
  );
}

/** The model of such a file's bytes; `name` is for the message. Fails with WEIGHTS_UNREADABLE for a file that is none, or damaged. */
export function importSafetensors(bytes: Uint8Array, name: string): Bundle {
  const weights = readSafetensors(bytes, name);
  const { spec, provenance, quantization } = parseMetadata(bytes, name);
  const graph = graphOf(spec, weights, name);
  return { spec, provenance, quantization, ranges: rangesOf(quantization), graph, weights };
}

/**
 * The ranges for int8 in the bytes of such a file, which was read before, if it is of exactly this spec; undefined if there are none,
 * or if the file is of another network or not multibox's.
 */
export function quantizationFor(spec: SsdSpec, bytes: Uint8Array): Quantization | undefined {
  const { data } = Metadata.safeParse(metadataOf(bytes));
  // Both come from the schema, which puts keys in one order and writes defaults out.
  if (!data || JSON.stringify(data.spec) !== JSON.stringify(SsdSpec.parse(spec))) return undefined;
  return data.quantization;
}

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("it is not JSON");
    return z.NEVER;
  }
});
const Metadata = z.object({
  spec: json.pipe(SsdSpec),
  provenance: json.pipe(Provenance),
  quantization: json.pipe(Quantization).optional(),
});

function parseMetadata(bytes: Uint8Array, name: string): z.infer<typeof Metadata> {
  const parsed = Metadata.safeParse(metadataOf(bytes));
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  if (first!.path.length === 0) throw unreadable(name, "its metadata is no JSON object");
  throw unreadable(name, `its metadata has no usable ${first!.path.join(".")}: ${first!.message}`);
}

/** What the header has as its metadata; that the header is JSON was seen when the tensors were read. */
export function metadataOf(bytes: Uint8Array): unknown {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = JSON.parse(file.toString("utf8", 8, 8 + Number(file.readBigUInt64LE(0)))) as Record<string, unknown>;
  return header["__metadata__"] ?? {};
}

/** The network, whose weights these must be. */
function graphOf(spec: SsdSpec, weights: Tensors, name: string): Graph {
  let graph: Graph;
  try {
    graph = buildSsd(spec);
  } catch (error) {
    throw unreadable(name, sentenceOf(error).replace(/\.$/, ""));
  }
  const wrong = misfit(graph, weights);
  if (wrong !== undefined) throw unreadable(name, wrong);
  return graph;
}

function unreadable(name: string, why: string): MultiboxError {
  return new MultiboxError(
    "WEIGHTS_UNREADABLE",
    `${name} is no model that \`multibox export --format safetensors\` wrote: ${why}.`,
    "Export it again, or say with --spec which network it is of.",
  );
}
