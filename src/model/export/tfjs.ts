// A model as a TensorFlow.js graph model: model.json and binary shards, as `tf.loadGraphModel` opens them.
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { packageVersion } from "../../version.ts";
import type { Bundle } from "../bundle.ts";
import type { GraphDef } from "../compile/graph-def.ts";
import { tfjsGraph } from "../compile/tfjs-graph.ts";
import { exportMetadata } from "./metadata.ts";

/** What TensorFlow.js's own converter cuts weights into, so that browsers can cache them. */
const SHARD_BYTES = 4 * 2 ** 20;
/** The version of GraphDef that its operations belong to. */
const PRODUCER = 1087;

/** File names of such a folder. */
export const TFJS_FILE = /^(?:model\.json|group1-shard\d+of\d+\.bin)$/;

/** The files of the folder, by name. Fails with EXPORT_UNSUPPORTED where TensorFlow.js has no operation for a node. */
export function exportTfjs(bundle: Bundle): Map<string, Uint8Array> {
  const graph = graphOf(bundle);
  const shards = cut(Buffer.concat(graph.constants.map(({ data }) => bytesOf(data))));
  const paths = shards.map((_, i) => `group1-shard${i + 1}of${shards.length}.bin`);
  const weights = graph.constants.map(({ name, shape, data }) => ({
    name,
    shape,
    dtype: data instanceof Float32Array ? "float32" : "int32",
  }));
  const model = {
    format: "graph-model",
    generatedBy: `multibox ${packageVersion()}`,
    convertedBy: null,
    signature: { inputs: graph.inputs, outputs: graph.outputs },
    userDefinedMetadata: exportMetadata(bundle),
    modelTopology: { node: graph.node, library: {}, versions: { producer: PRODUCER } },
    weightsManifest: [{ paths, weights }],
  };
  const json = Buffer.from(JSON.stringify(model));
  return new Map([["model.json", json], ...shards.map((shard, i): [string, Uint8Array] => [paths[i]!, shard])]);
}

function graphOf({ spec, graph, weights }: Bundle): GraphDef {
  try {
    return tfjsGraph(graph, weights);
  } catch (cause) {
    throw new MultiboxError(
      "EXPORT_UNSUPPORTED",
      `${spec.name} cannot be written as a TensorFlow.js model. ${sentenceOf(cause)}`,
      "Export it with --format onnx.",
      { cause },
    );
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / SHARD_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
}
