// How much arithmetic a network is.
import type { Graph } from "../src/model/graph.ts";

/** Multiplications that are each followed by an addition, for one picture; those of convolutions, beside which others are nothing. */
export function multiplyAdds(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => {
    if (node.kind !== "conv") return sum;
    const [channels, height, width] = node.shape;
    return sum + channels * height * width * (node.inChannels / node.groups) * node.kernel ** 2;
  }, 0);
}
