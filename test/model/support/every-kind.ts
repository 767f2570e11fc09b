// A network of a dozen nodes with every kind of node in it, quick on the slowest engine.
import type { Network } from "../../../src/model/engines/engine.ts";
import { GraphBuilder } from "../../../src/model/graph.ts";
import { randomWeights } from "./random-weights.ts";

/** Pictures of 32 x 32, 128 boxes, 3 classes. */
export function everyKindOfNode(): Network {
  const builder = new GraphBuilder("every-kind");
  const input = builder.input(32, 32, [127.5, 127.5, 127.5], 1 / 127.5);
  const first = builder.activation("relu6", builder.conv("first", input, 8, { kernel: 3, stride: 2 }));
  const depthwise = builder.activation("relu", builder.conv("depthwise", first, 8, { kernel: 3, groups: 8 }));
  const norm = builder.l2norm("norm", builder.add("sum", first, depthwise));
  const pooled = builder.maxPool("pooled", norm, { kernel: 3, stride: 2, ceil: true });
  const dilated = builder.conv("dilated", pooled, 8, { kernel: 3, dilation: 2, padding: 2 });
  const offsets = builder.rows("offsets", [dilated], 4);
  const logits = builder.rows("logits", [builder.conv("classes", pooled, 6)], 3);
  const graph = builder.build(offsets, logits);
  return { graph, weights: randomWeights(graph, 1) };
}
