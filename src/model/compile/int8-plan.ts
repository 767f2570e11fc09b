// Which parts of a graph compute in int8: what the ONNX compiler quantises, and what has to be observed for it.
import type { Graph, GraphNode } from "../graph.ts";
import { soleActivations } from "./windows.ts";

export interface Int8Plan {
  /** Names of the convolutions with integer weights. */
  readonly convs: ReadonlySet<string>;
  /** By the name of a convolution: the activation behind it, which the limits of the integers are enough for. */
  readonly folded: ReadonlyMap<string, GraphNode>;
  /** Names of nodes whose output is quantised with a range of their own. */
  readonly quantized: ReadonlySet<string>;
  /** By the name of a pool: the node whose integers it picks among. */
  readonly pooled: ReadonlyMap<string, string>;
}

/**
 * Everything but the last convolutions of the heads: 256 levels would make many scores equal. Norms, and scores where the graph
 * has them, are float32 too.
 */
export function planInt8(graph: Graph): Int8Plan {
  const rows = new Set(graph.nodes.flatMap((node) => (node.kind === "rows" ? node.inputs : [])));
  const activations = soleActivations(graph);
  const convs = new Set<string>();
  const folded = new Map<string, GraphNode>();
  const quantized = new Set<string>();
  const pooled = new Map<string, string>();
  for (const node of graph.nodes) {
    if (rows.has(node.name)) continue;
    if (node.kind === "conv") {
      convs.add(node.name);
      quantized.add(node.input);
      const activation = activations.get(node.name);
      if (activation) folded.set(node.name, activation);
      quantized.add(activation?.name ?? node.name);
    } else if (node.kind === "add" && node.inputs.every((input) => quantized.has(input) || pooled.has(input))) {
      quantized.add(node.name);
    } else if (node.kind === "maxpool" && (quantized.has(node.input) || pooled.has(node.input))) {
      pooled.set(node.name, pooled.get(node.input) ?? node.input);
    }
  }
  // What a pool gives needs no second rounding before a convolution reads it.
  for (const name of pooled.keys()) quantized.delete(name);
  return { convs, folded, quantized, pooled };
}

/** The nodes whose ranges int8 needs, in the order of computation; that of the input follows from its normalisation. */
export function observedNodes(graph: Graph): string[] {
  const { quantized } = planInt8(graph);
  return graph.nodes.filter(({ kind, name }) => kind !== "input" && quantized.has(name)).map(({ name }) => name);
}
