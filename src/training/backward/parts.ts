// What the two models are written with: operations one after another, names that are given to their outputs, constants that are shared.
import { type Constants } from "../../model/compile/onnx-nodes.ts";
import { attribute, MICROSOFT, type OnnxAttribute, type OnnxNode, operation } from "../../model/compile/onnx-proto.ts";

/** ONNX Runtime's operations on maps in blocks, which it otherwise brings in by itself, where weights are constants. */
export const BLOCKS = "com.microsoft.nchwc";
/** The name of a map in blocks. */
export const blocksOf = (map: string): string => `${map}.blocks`;
/** 64 MB. */
const MOST_SHIFTED = 16e6;

export interface PartsOptions {
  /** Channels that lie beside each other in a map in blocks, as many as the CPU computes at once; 0 where there are no such maps. */
  readonly block?: number | undefined;
  /** Numbers that one product may read of copies made for it: with more of them fewer products do, in more memory. */
  readonly mostShifted?: number | undefined;
}

export class ModelParts {
  readonly block: number;
  readonly mostShifted: number;
  readonly constants: Constants = new Map();
  readonly #nodes: OnnxNode[] = [];
  readonly #inBlocks = new Set<string>();
  readonly #contributions = new Map<string, string[]>();
  #count = 0;

  constructor({ block = 0, mostShifted = MOST_SHIFTED }: PartsOptions = {}) {
    this.block = block;
    this.mostShifted = mostShifted;
  }

  /** Operations that have names already. */
  push(...nodes: readonly OnnxNode[]): void {
    this.#nodes.push(...nodes);
  }

  /**
   * What the outputs depend on. ONNX Runtime begins with the last operation that no other one reads, before which it takes the last one that
   * this one reads, and so forth. So what leads to an output comes in the order in which outputs can be had, and of what an operation reads
   * that which depends on `late` goes first: maps then wait for what reads them no longer than they must, in little memory.
   */
  nodesFor(outputs: ReadonlySet<string>, late: Iterable<string> = []): OnnxNode[] {
    const needed = new Set(outputs);
    const nodes: OnnxNode[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.output.some((name) => needed.has(name))) continue;
      nodes.unshift(node);
      for (const name of node.input) needed.add(name);
    }
    const follows = new Set(late);
    const isLate = new Set<OnnxNode>();
    for (const node of nodes) {
      if (!node.input.some((name) => follows.has(name))) continue;
      isLate.add(node);
      for (const name of node.output) follows.add(name);
    }
    const read = new Set(nodes.flatMap(({ input }) => input));
    const isLast = ({ output }: OnnxNode): boolean => !output.some((name) => read.has(name));
    return [
      ...nodes.filter((node) => !isLast(node) && !isLate.has(node)),
      ...nodes.filter((node) => !isLast(node) && isLate.has(node)),
      ...nodes.filter(isLast).toReversed(),
    ];
  }

  /** Adds an operation and returns the name of its output, which is made up where none is given. */
  add(opType: string, inputs: readonly string[], attributes: readonly OnnxAttribute[] = [], output?: string): string {
    return this.#addOf("", opType, inputs, attributes, output ?? this.newName());
  }

  /** One of ONNX Runtime's own operations. */
  addMicrosoft(opType: string, inputs: readonly string[], attributes: readonly OnnxAttribute[]): string {
    return this.#addOf(MICROSOFT, opType, inputs, attributes, this.newName());
  }

  /** One on maps in blocks. */
  addOnBlocks(opType: string, inputs: readonly string[], attributes: readonly OnnxAttribute[], output: string): string {
    return this.#addOf(BLOCKS, opType, inputs, attributes, output);
  }

  /** The name of a map in blocks: [pictures, channels / block, height, width, block]. ONNX Runtime says of it that it has the map's shape. */
  inBlocks(map: string): string {
    const blocks = blocksOf(map);
    if (!this.#inBlocks.has(map)) this.addOnBlocks("ReorderInput", [map], [], blocks);
    this.#inBlocks.add(map);
    return blocks;
  }

  /** Whether the map is there in blocks. */
  hasBlocks(map: string): boolean {
    return this.#inBlocks.has(map);
  }

  /** Adds a map of which the blocks are there. It costs nothing where it is read in blocks alone. */
  fromBlocks(map: string, channels: number): string {
    this.addOnBlocks("ReorderOutput", [blocksOf(map)], [attribute("channels", channels)], map);
    // Where channels fill no blocks, there are more of them in the blocks.
    if (channels % this.block === 0) this.#inBlocks.add(map);
    return map;
  }

  /** A name that nothing has. */
  newName(): string {
    return `parts.${this.#count++}`;
  }

  /** A list of integers, for shapes, axes and the like. */
  integers(...values: readonly number[]): string {
    return this.#constant(`integers.${values.join("_")}`, [values.length], BigInt64Array.from(values, BigInt));
  }

  number(value: number): string {
    return this.#constant(`number.${value}`, [], Float32Array.of(value));
  }

  reshape(input: string, ...shape: readonly number[]): string {
    return this.add("Reshape", [input, this.integers(...shape)]);
  }

  /** Says that the loss changes by `gradient` with the output of `node`; one output may be read by several nodes. */
  contribute(node: string, gradient: string): void {
    const known = this.#contributions.get(node);
    if (known) known.push(gradient);
    else this.#contributions.set(node, [gradient]);
  }

  /** All of what the loss changes by with the output of a node; undefined where it does not. */
  gradientOf(node: string): string | undefined {
    const parts = this.#contributions.get(node);
    if (!parts) return undefined;
    return parts.length === 1 ? parts[0]! : this.add("Sum", parts);
  }

  #addOf(
    domain: string,
    opType: string,
    inputs: readonly string[],
    attributes: readonly OnnxAttribute[],
    output: string,
  ): string {
    this.#nodes.push(Object.assign(operation(opType, inputs, output, attributes), { domain }));
    return output;
  }

  #constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    this.constants.set(name, { shape, data });
    return name;
  }
}
