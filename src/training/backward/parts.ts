// What the way back is written with: operations one after another, names that are given to their outputs, constants that are shared.
import { type Constants } from "../../model/compile/onnx-nodes.ts";
import { MICROSOFT, type OnnxAttribute, type OnnxNode, operation } from "../../model/compile/onnx-proto.ts";

/** 64 MB. */
const MOST_SHIFTED = 16e6;

export class BackwardParts {
  /** Numbers that one product may read of copies made for it: with more of them fewer products do, in more memory. */
  readonly mostShifted: number;
  readonly nodes: OnnxNode[] = [];
  readonly constants: Constants = new Map();
  readonly #contributions = new Map<string, string[]>();
  #count = 0;

  constructor(mostShifted: number = MOST_SHIFTED) {
    this.mostShifted = mostShifted;
  }

  /** Adds an operation and returns the name of its output, which is made up where none is given. */
  add(opType: string, inputs: readonly string[], attributes: readonly OnnxAttribute[] = [], output?: string): string {
    const name = output ?? `back.${this.#count++}`;
    this.nodes.push(operation(opType, inputs, name, attributes));
    return name;
  }

  /** One of ONNX Runtime's own operations. */
  addMicrosoft(opType: string, inputs: readonly string[], attributes: readonly OnnxAttribute[]): string {
    const name = this.add(opType, inputs, attributes);
    this.nodes.at(-1)!.domain = MICROSOFT;
    return name;
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

  #constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    this.constants.set(name, { shape, data });
    return name;
  }
}
