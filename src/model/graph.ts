// The network as data: a few kinds of nodes in topological order, shapes inferred and checked while it is built.

/** Channels, height, width of one picture's feature map. */
export type Shape = readonly [channels: number, height: number, width: number];
/** Top, left, bottom, right. */
export type Padding = readonly [number, number, number, number];

/** Names the output of a node. */
export interface Ref {
  readonly name: string;
  readonly shape: Shape;
}

/** uint8 RGB pictures, batch x height x width x 3 -> `(value - mean) * scale`, batch x 3 x height x width. */
export interface InputNode {
  readonly kind: "input";
  readonly name: string;
  readonly shape: Shape;
  readonly mean: readonly [number, number, number];
  readonly scale: number;
}

/** Convolution with a bias. Weights `NAME.weight` [out, in / groups, height, width] and `NAME.bias` [out]. */
export interface ConvNode {
  readonly kind: "conv";
  readonly name: string;
  readonly input: string;
  readonly shape: Shape;
  readonly inChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly groups: number;
}

/** min(max(x, 0), 6) */
export interface Relu6Node {
  readonly kind: "relu6";
  readonly name: string;
  readonly input: string;
  readonly shape: Shape;
}

export interface AddNode {
  readonly kind: "add";
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly shape: Shape;
}

/**
 * Lays the prediction maps out as one row a default box: each map, (boxes * columns) x height x width, becomes
 * height * width * boxes rows of `columns`, and the maps follow each other. Shape: [1, rows, columns].
 */
export interface RowsNode {
  readonly kind: "rows";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly columns: number;
  readonly shape: Shape;
}

export type GraphNode = InputNode | ConvNode | Relu6Node | AddNode | RowsNode;

/** A network: its nodes in the order of computation, and which of them it answers with. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly offsets: string;
  readonly logits: string;
}

/** How a convolution differs from 1 x 1 with stride 1. */
export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** Builds a graph node by node. A node that does not fit its input is a mistake in the code that builds, and throws. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: GraphNode[] = [];
  readonly #shapes = new Map<string, Shape>();

  constructor(name: string) {
    this.#name = name;
  }

  input(width: number, height: number, mean: InputNode["mean"], scale: number): Ref {
    return this.#add({ kind: "input", name: "input", shape: [3, height, width], mean, scale });
  }

  /** Padding is TensorFlow's SAME: the output has ceil(size / stride) pixels, and an odd pixel of padding goes to the end. */
  conv(name: string, input: Ref, channels: number, { kernel = 1, stride = 1, groups = 1 }: ConvOptions = {}): Ref {
    const [inChannels, height, width] = this.#shapeOf(input);
    if (inChannels % groups !== 0 || channels % groups !== 0) {
      throw new Error(`${name}: ${inChannels} -> ${channels} channels cannot be split into ${groups} groups.`);
    }
    const [top, bottom] = samePadding(height, kernel, stride);
    const [left, right] = samePadding(width, kernel, stride);
    const shape: Shape = [channels, Math.ceil(height / stride), Math.ceil(width / stride)];
    const padding: Padding = [top, left, bottom, right];
    return this.#add({ kind: "conv", name, input: input.name, shape, inChannels, kernel, stride, padding, groups });
  }

  relu6(input: Ref): Ref {
    return this.#add({ kind: "relu6", name: `${input.name}.relu6`, input: input.name, shape: this.#shapeOf(input) });
  }

  add(name: string, a: Ref, b: Ref): Ref {
    const [left, right] = [this.#shapeOf(a), this.#shapeOf(b)];
    if (left.join() !== right.join())
      throw new Error(`${name}: shapes ${left.join("x")} and ${right.join("x")} differ.`);
    return this.#add({ kind: "add", name, inputs: [a.name, b.name], shape: left });
  }

  rows(name: string, inputs: readonly Ref[], columns: number): Ref {
    let rows = 0;
    for (const input of inputs) {
      const [channels, height, width] = this.#shapeOf(input);
      if (channels % columns !== 0)
        throw new Error(`${name}: ${channels} channels of ${input.name} are no rows of ${columns}.`);
      rows += (channels / columns) * height * width;
    }
    return this.#add({
      kind: "rows",
      name,
      inputs: inputs.map((input) => input.name),
      columns,
      shape: [1, rows, columns],
    });
  }

  build(offsets: Ref, logits: Ref): Graph {
    return { name: this.#name, nodes: this.#nodes, offsets: offsets.name, logits: logits.name };
  }

  #add(node: GraphNode): Ref {
    if (this.#shapes.has(node.name)) throw new Error(`${node.name}: there are two nodes of this name.`);
    this.#shapes.set(node.name, node.shape);
    this.#nodes.push(node);
    return { name: node.name, shape: node.shape };
  }

  #shapeOf(ref: Ref): Shape {
    const shape = this.#shapes.get(ref.name);
    if (!shape) throw new Error(`${ref.name}: no such node.`);
    return shape;
  }
}

function samePadding(size: number, kernel: number, stride: number): [before: number, after: number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** The shapes of what a graph answers with, for one picture: [1, boxes, 4] and [1, boxes, classes]. */
export function outputShapes(graph: Graph): { offsets: Shape; logits: Shape } {
  const shapeOf = (name: string): Shape => graph.nodes.find((node) => node.name === name)!.shape;
  return { offsets: shapeOf(graph.offsets), logits: shapeOf(graph.logits) };
}

/** The shape that each weight of a graph must have, by name. */
export function weightShapes(graph: Graph): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const node of graph.nodes) {
    if (node.kind !== "conv") continue;
    shapes.set(`${node.name}.weight`, [node.shape[0], node.inChannels / node.groups, node.kernel, node.kernel]);
    shapes.set(`${node.name}.bias`, [node.shape[0]]);
  }
  return shapes;
}
