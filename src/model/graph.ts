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
  readonly dilation: number;
}

/** Greatest value under the kernel; padding never wins. */
export interface MaxPoolNode {
  readonly kind: "maxpool";
  readonly name: string;
  readonly input: string;
  readonly shape: Shape;
  readonly kernel: number;
  readonly stride: number;
  /** What rounding up adds is at the end. */
  readonly padding: Padding;
}

/**
 * Each pixel's channels divided by their Euclidean length, times a learned scale a channel: weights `NAME.scale` [channels]
 * (Liu et al., ParseNet, 2015, section 3.3). The length is at least 1e-12, as torchvision has it.
 */
export interface L2NormNode {
  readonly kind: "l2norm";
  readonly name: string;
  readonly input: string;
  readonly shape: Shape;
}

/** relu: max(x, 0). relu6: min(max(x, 0), 6). sigmoid: 1 / (1 + exp(-x)). softmax: over the columns of rows. */
export interface ActivationNode {
  readonly kind: "relu" | "relu6" | "sigmoid" | "softmax";
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

export type GraphNode = InputNode | ConvNode | MaxPoolNode | L2NormNode | ActivationNode | AddNode | RowsNode;

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
  readonly dilation?: number;
  /**
   * Pixels on each side, or TensorFlow's `same`, the default: the output has ceil(size / stride) pixels, and an odd pixel of
   * padding goes to the end.
   */
  readonly padding?: number | "same";
}

export interface MaxPoolOptions {
  readonly kernel: number;
  readonly stride: number;
  /** Pixels on each side; 0 when absent. */
  readonly padding?: number;
  /** Whether a window that begins inside the picture and ends outside counts. Caffe rounds up, others by request. */
  readonly ceil?: boolean;
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

  conv(name: string, input: Ref, channels: number, options: ConvOptions = {}): Ref {
    const { kernel = 1, stride = 1, groups = 1, dilation = 1, padding: pad = "same" } = options;
    const [inChannels, ...size] = this.#shapeOf(input);
    if (inChannels % groups !== 0 || channels % groups !== 0) {
      throw new Error(`${name}: ${inChannels} -> ${channels} channels cannot be split into ${groups} groups.`);
    }
    const reach = (kernel - 1) * dilation + 1;
    const [rows, columns] = size.map((side): [number, number] =>
      pad === "same" ? samePadding(side, reach, stride) : [pad, pad],
    ) as [[number, number], [number, number]];
    const shape: Shape = [
      channels,
      windows(name, size[0], rows, reach, stride),
      windows(name, size[1], columns, reach, stride),
    ];
    const padding: Padding = [rows[0], columns[0], rows[1], columns[1]];
    const kind = "conv";
    return this.#add({ kind, name, input: input.name, shape, inChannels, kernel, stride, padding, groups, dilation });
  }

  maxPool(name: string, input: Ref, { kernel, stride, padding: pad = 0, ceil = false }: MaxPoolOptions): Ref {
    const [channels, ...size] = this.#shapeOf(input);
    const [rows, columns] = size.map((side): [number, number] => [
      pad,
      pad + (ceil ? roundingUp(side, pad, kernel, stride) : 0),
    ]) as [[number, number], [number, number]];
    const shape: Shape = [
      channels,
      windows(name, size[0], rows, kernel, stride),
      windows(name, size[1], columns, kernel, stride),
    ];
    const padding: Padding = [rows[0], columns[0], rows[1], columns[1]];
    return this.#add({ kind: "maxpool", name, input: input.name, shape, kernel, stride, padding });
  }

  l2norm(name: string, input: Ref): Ref {
    return this.#add({ kind: "l2norm", name, input: input.name, shape: this.#shapeOf(input) });
  }

  /** The node's name is its input's with the kind behind. */
  activation(kind: ActivationNode["kind"], input: Ref): Ref {
    return this.#add({ kind, name: `${input.name}.${kind}`, input: input.name, shape: this.#shapeOf(input) });
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

  /** What neither answer needs is left out. */
  build(offsets: Ref, logits: Ref): Graph {
    const needed = new Set([offsets.name, logits.name]);
    const nodes = this.#nodes.toReversed().filter((node) => {
      if (needed.has(node.name)) for (const input of inputsOf(node)) needed.add(input);
      return needed.has(node.name);
    });
    return { name: this.#name, nodes: nodes.toReversed(), offsets: offsets.name, logits: logits.name };
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

/** TensorFlow's SAME along one side, under a kernel that reaches over so many pixels. */
export function samePadding(size: number, kernel: number, stride: number): [before: number, after: number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** The names of the nodes that a node reads. */
export function inputsOf(node: GraphNode): readonly string[] {
  if (node.kind === "input") return [];
  return "inputs" in node ? node.inputs : [node.input];
}

/** How many windows fit; a mistake where there is none. */
function windows(
  name: string,
  size: number,
  [before, after]: readonly [number, number],
  reach: number,
  stride: number,
): number {
  const count = Math.floor((size + before + after - reach) / stride) + 1;
  if (count < 1) throw new Error(`${name}: ${size} pixels are too few for a kernel that reaches over ${reach}.`);
  return count;
}

/** Pixels to add at the end so that a window that begins inside the picture counts whole. */
function roundingUp(size: number, pad: number, kernel: number, stride: number): number {
  const count = Math.ceil((size + 2 * pad - kernel) / stride) + 1;
  const begins = (count - 1) * stride < size + pad;
  return Math.max(0, ((begins ? count : count - 1) - 1) * stride + kernel - size - 2 * pad);
}

/** The shape of the pictures that a graph takes. */
export function inputShape(graph: Graph): Shape {
  return (graph.nodes[0] as InputNode).shape;
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
    if (node.kind === "l2norm") shapes.set(`${node.name}.scale`, [node.shape[0]]);
    if (node.kind !== "conv") continue;
    shapes.set(`${node.name}.weight`, [node.shape[0], node.inChannels / node.groups, node.kernel, node.kernel]);
    shapes.set(`${node.name}.bias`, [node.shape[0]]);
  }
  return shapes;
}
