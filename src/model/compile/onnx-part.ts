// Operations and constants that are added to an ONNX model together.
import {
  type ConstantData,
  initializer,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  operation,
} from "./onnx-proto.ts";

type Attributes = readonly OnnxAttribute[];

/** A part of a model in the making. The names of its constants begin with `prefix`. */
export class OnnxPart {
  readonly #prefix: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxTensor[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Adds an operation and returns the name of its output. */
  add(opType: string, inputs: readonly string[], output: string, attributes: Attributes = []): string {
    this.addMany(opType, inputs, [output], attributes);
    return output;
  }

  /** Adds an operation with several outputs. */
  addMany(
    opType: string,
    input: readonly string[],
    output: readonly [string, ...string[]],
    attributes: Attributes = [],
  ): void {
    this.#nodes.push(operation(opType, input, output, attributes));
  }

  /** A constant of float32, a scalar unless a shape is given. Returns its name. */
  floats(values: ArrayLike<number>, shape: readonly number[] = []): string {
    return this.#constant(Float32Array.from(values), shape);
  }

  /** A constant of int64, a scalar unless a shape is given. Returns its name. */
  integers(values: readonly number[], shape: readonly number[] = []): string {
    return this.#constant(BigInt64Array.from(values, BigInt), shape);
  }

  appendTo({ graph }: OnnxModel): void {
    graph!.node!.push(...this.#nodes);
    graph!.initializer!.push(...this.#constants);
  }

  #constant(data: ConstantData, shape: readonly number[]): string {
    const name = `${this.#prefix}.constant${this.#constants.length}`;
    this.#constants.push(initializer(name, shape, data));
    return name;
  }
}
