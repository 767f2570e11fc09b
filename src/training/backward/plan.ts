// Which parts of a network learn, and so what a training step has to compute, to keep and to be given.
import { type Graph, type GraphNode, inputsOf, type Shape } from "../../model/graph.ts";

export interface TrainingPlan {
  readonly graph: Graph;
  /** Nodes whose weights learn, and nodes between these and the answers: gradients flow through them. */
  readonly live: ReadonlySet<string>;
  /** Names of the weights that learn, in the order of the network. */
  readonly trained: readonly string[];
  /** Nodes that do not change and that live ones read: what a frozen base answers with. */
  readonly frontier: readonly string[];
  /** Nodes whose outputs the way forward keeps for the way back, in the order of computation. */
  readonly kept: readonly string[];
  /** Nodes which the way back computes once more from what is kept: that is quicker than to keep them, and takes less memory. */
  readonly recomputed: ReadonlySet<string>;
}

/** So many products for each number of its output make a convolution dearer than to keep it. */
const DEAR = 200;

/** Whether the weights of a node are to stay as they are, by the node's name (`base.block3.expand`, `head0.offsets`). */
export type Frozen = (name: string) => boolean;

/** Plans the training of all weights but the frozen ones. Throws where nothing is left to learn. */
export function planTraining(graph: Graph, frozen: Frozen = () => false): TrainingPlan {
  const live = new Set<string>();
  const trained: string[] = [];
  for (const node of graph.nodes) {
    const own = weightsOf(node);
    const learns = own.length > 0 && !frozen(node.name);
    if (learns) trained.push(...own);
    if (learns || inputsOf(node).some((input) => live.has(input))) live.add(node.name);
  }
  if (trained.length === 0) throw new Error(`${graph.name}: all weights are frozen.`);
  // The loss is told both answers, also where nothing of one of them learns.
  live.add(graph.offsets).add(graph.logits);
  const read = new Set(graph.nodes.filter(({ name }) => live.has(name)).flatMap((node) => inputsOf(node)));
  const needed = new Set(
    graph.nodes.filter(({ name }) => live.has(name)).flatMap((node) => neededBack(node, trained, live)),
  );
  const recomputed = new Set<string>();
  for (const node of graph.nodes.toReversed()) {
    if (!needed.has(node.name) || !live.has(node.name) || !isCheap(graph, node)) continue;
    recomputed.add(node.name);
    for (const input of inputsOf(node)) needed.add(input);
  }
  const inOrder = (names: ReadonlySet<string>): string[] =>
    graph.nodes.map(({ name }) => name).filter((name) => names.has(name));
  return {
    graph,
    live,
    trained,
    frontier: inOrder(read).filter((name) => !live.has(name)),
    kept: inOrder(needed).filter((name) => !recomputed.has(name)),
    recomputed,
  };
}

/** Names of a node's weights. */
export function weightsOf(node: GraphNode): readonly string[] {
  if (node.kind === "conv") return [`${node.name}.weight`, `${node.name}.bias`];
  return node.kind === "l2norm" ? [`${node.name}.scale`] : [];
}

/** Freezes what begins with one of the prefixes, and, of what is left, the first `depth` nodes with weights. */
export function freezer(graph: Graph, prefixes: readonly string[], depth = 0): Frozen {
  const layers = graph.nodes.filter((node) => weightsOf(node).length > 0).map(({ name }) => name);
  const frozen = new Set([
    ...layers.filter((name) => prefixes.some((prefix) => name.startsWith(prefix))),
    ...layers.slice(0, depth),
  ]);
  return (name) => frozen.has(name);
}

/** The shape of a node's output, for one picture. */
export function shapeOf(graph: Graph, name: string): Shape {
  return graph.nodes.find((node) => node.name === name)!.shape;
}

/** Depthwise convolutions and those of single pixels with few channels, and what is made of these. */
function isCheap(graph: Graph, node: GraphNode): boolean {
  if (node.kind === "relu" || node.kind === "relu6") {
    return isCheap(
      graph,
      graph.nodes.find(({ name }) => name === node.input)!,
    );
  }
  if (node.kind !== "conv" || (node.groups === 1 && node.kernel > 1)) return false;
  return (node.inChannels / node.groups) * node.kernel ** 2 < DEAR;
}

function neededBack(node: GraphNode, trained: readonly string[], live: ReadonlySet<string>): readonly string[] {
  switch (node.kind) {
    case "conv":
      return trained.includes(`${node.name}.weight`) ? [node.input] : [];
    case "l2norm":
      return [node.input];
    case "maxpool":
      return live.has(node.input) ? [node.input] : [];
    case "relu":
    case "relu6":
    case "sigmoid":
    case "softmax":
      return [node.name];
    case "input":
    case "add":
    case "rows":
      return [];
  }
}
