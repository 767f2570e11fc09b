// The parts that ONNX models are made of, a little shorter than onnx-proto has them.
import onnxProto from "onnx-proto";

export const { onnx } = onnxProto;
export type OnnxModel = ReturnType<typeof onnx.ModelProto.create>;
export type OnnxNode = ReturnType<typeof onnx.NodeProto.create>;
type OnnxAttribute = ReturnType<typeof onnx.AttributeProto.create>;

/** The domain of ONNX Runtime's own operations. */
export const MICROSOFT = "com.microsoft";

/** One operation with one output, which it is named after. */
export function operation(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: readonly OnnxAttribute[] = [],
): OnnxNode {
  return onnx.NodeProto.create({
    opType,
    name: output,
    input: [...input],
    output: [output],
    attribute: [...attributes],
  });
}

/** An integer, or a list of integers. */
export function attribute(name: string, value: number | number[]): OnnxAttribute {
  const { INT, INTS } = onnx.AttributeProto.AttributeType;
  return onnx.AttributeProto.create(
    typeof value === "number" ? { name, type: INT, i: value } : { name, type: INTS, ints: value },
  );
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
