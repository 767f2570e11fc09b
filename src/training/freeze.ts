// Which layers a training leaves as they are, by what the user writes.
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import type { Graph } from "../model/graph.ts";
import { type Frozen, weightsOf } from "./backward/plan.ts";

/**
 * `none`; a number: so many layers from the first on; or names and beginnings of names with commas between them, in which `*` stands for
 * any letters: `base`, `base.block3,extra0`, `base,extra*,head*.logits`. Fails with LAYER_UNKNOWN for a name that none has, and with NOTHING_TO_LEARN where all are frozen.
 */
export function parseFreeze(graph: Graph, text: string): Frozen {
  const layers = graph.nodes.filter((node) => weightsOf(node).length > 0).map(({ name }) => name);
  const frozen = new Set(
    /^\d+$/.test(text) ? layers.slice(0, Number(text)) : text === "none" ? [] : named(text, layers),
  );
  if (frozen.size === layers.length) {
    const sentence = `With "${text}" frozen, all ${countOf(layers.length, "layer")} are.`;
    throw new MultiboxError("NOTHING_TO_LEARN", sentence, "Freeze fewer, for example only base.");
  }
  return (name) => frozen.has(name);
}

function named(text: string, layers: readonly string[]): string[] {
  return text.split(",").flatMap((part) => {
    const name = part.trim();
    const pattern = new RegExp(`^${name.replaceAll(/[^\w*]/g, "\\$&").replaceAll("*", "[^.]*")}(\\.|$)`);
    const found = layers.filter((layer) => pattern.test(layer));
    if (found.length > 0) return found;
    const roots = [...new Set(layers.map((layer) => layer.split(".")[0]!))];
    throw new MultiboxError("LAYER_UNKNOWN", `The model has no layer "${name}".`, `It has: ${roots.join(", ")}.`);
  });
}
