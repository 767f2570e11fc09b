// Operations and constants that are added to an ONNX model together.
import { type attribute, onnx, type OnnxModel, type OnnxNode } from "./onnx-proto.ts";

const { FLOAT, INT64 } = onnx.TensorProto.DataType;

type Attributes = readonly ReturnType<typeof attribute>[];

/** A part of a model in the making. The names of its constants begin with `prefix`. */
export class OnnxPart {
  readonly #prefix: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: ReturnType<typeof onnx.TensorProto.create>[] = [];

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
    const node = { opType, name: output[0], input: [...input], output: [...output], attribute: [...attributes] };
    this.#nodes.push(onnx.NodeProto.create(node));
  }

  /** A constant of float32, a scalar unless a shape is given. Returns its name. */
  floats(values: ArrayLike<number>, shape: readonly number[] = []): string {
    return this.#constant(FLOAT, Float32Array.from(values), shape);
  }

  /** A constant of int64, a scalar unless a shape is given. Returns its name. */
  integers(values: readonly number[], shape: readonly number[] = []): string {
    return this.#constant(INT64, BigInt64Array.from(values, BigInt), shape);
  }

  appendTo({ graph }: OnnxModel): void {
    graph!.node!.push(...this.#nodes);
    graph!.initializer!.push(...this.#constants);
  }

  #constant(dataType: number, data: Float32Array | BigInt64Array, dims: readonly number[]): string {
    const name = `${this.#prefix}.constant${this.#constants.length}`;
    const rawData = new Uint8Array(data.buffer);
    this.#constants.push(onnx.TensorProto.create({ name, dims: [...dims], dataType, rawData }));
    return name;
  }
}
