// The parts that ONNX models are made of, a little shorter than onnx-proto has them.
import onnxProto from "onnx-proto";

export const { onnx } = onnxProto;
export type OnnxModel = ReturnType<typeof onnx.ModelProto.create>;
export type OnnxNode = ReturnType<typeof onnx.NodeProto.create>;
export type OnnxAttribute = ReturnType<typeof onnx.AttributeProto.create>;
export type OnnxTensor = ReturnType<typeof onnx.TensorProto.create>;
/** What a model carries besides its operations. */
export type ConstantData = Float32Array | BigInt64Array | Int8Array | Uint8Array | Int32Array;

/** The domain of ONNX Runtime's own operations. */
export const MICROSOFT = "com.microsoft";

/** One operation, named after its output, or the first of several. */
export function operation(
  opType: string,
  input: readonly string[],
  output: string | readonly [string, ...string[]],
  attributes: readonly OnnxAttribute[] = [],
): OnnxNode {
  const outputs = typeof output === "string" ? [output] : [...output];
  return onnx.NodeProto.create({
    opType,
    name: outputs[0]!,
    input: [...input],
    output: outputs,
    attribute: [...attributes],
  });
}

/** A constant of the model. Shapes are row-major; an empty one is a number. */
export function initializer(name: string, shape: readonly number[], data: ConstantData): OnnxTensor {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return onnx.TensorProto.create({ name, dims: [...shape], dataType: dataType(data), rawData });
}

function dataType(data: ConstantData): number {
  const { FLOAT, INT64, INT32, INT8, UINT8 } = onnx.TensorProto.DataType;
  if (data instanceof Float32Array) return FLOAT;
  if (data instanceof BigInt64Array) return INT64;
  if (data instanceof Int32Array) return INT32;
  return data instanceof Int8Array ? INT8 : UINT8;
}

/** An integer, or a list of integers. */
export function attribute(name: string, value: number | number[]): OnnxAttribute {
  const { INT, INTS } = onnx.AttributeProto.AttributeType;
  return onnx.AttributeProto.create(
    typeof value === "number" ? { name, type: INT, i: value } : { name, type: INTS, ints: value },
  );
}

export function numbersAttribute(name: string, floats: number[]): OnnxAttribute {
  return onnx.AttributeProto.create({ name, type: onnx.AttributeProto.AttributeType.FLOATS, floats });
}

export function textAttribute(name: string, value: string): OnnxAttribute {
  return onnx.AttributeProto.create({ name, type: onnx.AttributeProto.AttributeType.STRING, s: Buffer.from(value) });
}

/** An input or output of the model; the batch comes first and is free. */
export function tensorInfo(
  name: string,
  elemType: number,
  shape: readonly number[],
): ReturnType<typeof onnx.ValueInfoProto.create> {
  const dim = [{ dimParam: "batch" }, ...shape.map((size) => ({ dimValue: size }))];
  return onnx.ValueInfoProto.create({ name, type: { tensorType: { elemType, shape: { dim } } } });
}
