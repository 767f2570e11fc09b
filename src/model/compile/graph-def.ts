// TensorFlow's GraphDef as JSON, the way TensorFlow.js reads it: operations here, the numbers of its constants apart.

type DataType = "DT_FLOAT" | "DT_INT32";

/** An attribute of an operation; text is in base64, integers are in decimal digits, as protocol buffers write JSON. */
export type Attribute =
  | { readonly s: string }
  | { readonly i: string }
  | { readonly b: boolean }
  | { readonly type: DataType }
  | { readonly shape: TensorShape }
  | { readonly tensor: { readonly dtype: DataType; readonly tensorShape: TensorShape } }
  | { readonly list: { readonly i: readonly string[] } | { readonly s: readonly string[] } };
export type Attributes = Readonly<Record<string, Attribute>>;

interface TensorShape {
  readonly dim: readonly { readonly size: string }[];
}

interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Attributes;
}

/** An input or output of the whole model. */
interface TensorInfo {
  readonly name: string;
  readonly dtype: DataType;
  readonly tensorShape: TensorShape;
}

/** A constant's numbers. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface GraphDef {
  readonly node: readonly NodeDef[];
  readonly constants: readonly Constant[];
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
}

/** Builds a GraphDef operation by operation, in the order of computation. */
export class GraphDefBuilder {
  readonly #nodes: NodeDef[] = [];
  readonly #constants: Constant[] = [];

  /** Of float32 in and out, but for what `attributes` say of types. */
  add(op: string, name: string, input: readonly string[], attributes: Attributes = {}): void {
    const type: Attributes = "SrcT" in attributes ? {} : { T: dtype("DT_FLOAT") };
    this.#nodes.push({ name, op, input, attr: { ...type, ...attributes } });
  }

  /** A part of the input, whose batch is free. */
  placeholder(name: string, type: DataType, shape: readonly number[]): void {
    this.#nodes.push({ name, op: "Placeholder", attr: { dtype: dtype(type), shape: { shape: dims([-1, ...shape]) } } });
  }

  /** A constant of float32; returns its name. */
  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    return this.#constant(name, "DT_FLOAT", shape, Float32Array.from(values));
  }

  /** A constant of int32; returns its name. */
  integers(name: string, shape: readonly number[], values: readonly number[]): string {
    return this.#constant(name, "DT_INT32", shape, Int32Array.from(values));
  }

  build(inputs: GraphDef["inputs"], outputs: GraphDef["outputs"]): GraphDef {
    return { node: this.#nodes, constants: this.#constants, inputs, outputs };
  }

  #constant(name: string, type: DataType, shape: readonly number[], data: Constant["data"]): string {
    const tensor = { dtype: type, tensorShape: dims(shape) };
    this.#nodes.push({ name, op: "Const", attr: { dtype: dtype(type), value: { tensor } } });
    this.#constants.push({ name, shape, data });
    return name;
  }
}

export function dtype(type: DataType): Attribute {
  return { type };
}

export function flag(b: boolean): Attribute {
  return { b };
}

export function text(value: string): Attribute {
  return { s: base64(value) };
}

export function texts(values: readonly string[]): Attribute {
  return { list: { s: values.map(base64) } };
}

export function ints(values: readonly number[]): Attribute {
  return { list: { i: values.map(String) } };
}

/** `shape` is that of one picture's; the batch is free. */
export function tensorInfo(node: string, type: DataType, shape: readonly number[]): TensorInfo {
  return { name: `${node}:0`, dtype: type, tensorShape: dims([-1, ...shape]) };
}

function dims(shape: readonly number[]): TensorShape {
  return { dim: shape.map((size) => ({ size: `${size}` })) };
}

function base64(value: string): string {
  return Buffer.from(value).toString("base64");
}
