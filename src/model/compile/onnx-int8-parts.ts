// The operations that int8 models are made of: rounding to integers and back, and convolutions with integer weights.
import type { ConvNode } from "../graph.ts";
import type { Tensor } from "../weights/safetensors.ts";
import { type Constants, convOperation } from "./onnx-nodes.ts";
import { attribute, type OnnxNode, operation } from "./onnx-proto.ts";
import { type Affine, integerWeights } from "./quantize.ts";

/** The name of what a node's integers stand for. */
export const dequantized = (name: string): string => `${name}.dequantized`;

/** Rounds `from` to the integers of the node `name`, and back. */
export function roundingOperations(name: string, from: string, affine: Affine, constants: Constants): OnnxNode[] {
  const parameters = affineConstants(name, affine, constants);
  return [
    operation("QuantizeLinear", [from, ...parameters], `${name}.quantized`),
    operation("DequantizeLinear", [`${name}.quantized`, ...parameters], dequantized(name)),
  ];
}

/** A scale and a zero point, and their names. */
export function affineConstants(name: string, { scale, zeroPoint }: Affine, constants: Constants): string[] {
  constants.set(`${name}.quantum`, { shape: [], data: Float32Array.of(scale) });
  constants.set(`${name}.zero`, { shape: [], data: Uint8Array.of(zeroPoint) });
  return [`${name}.quantum`, `${name}.zero`];
}

/** A convolution that a runtime fuses. `scale` is its input's, `shift` what that is in truth above what is read. */
export function integerConvOperations(
  node: ConvNode,
  { weight: { shape, data }, bias }: { readonly weight: Tensor; readonly bias: Tensor },
  { scale, shift }: { readonly scale: number; readonly shift: number },
  constants: Constants,
): OnnxNode[] {
  const size = data.length / node.shape[0];
  const shifted = bias.data.map((value, channel) => {
    let sum = 0;
    for (let i = channel * size; i < (channel + 1) * size; i++) sum += data[i]!;
    return value + shift * sum;
  });
  const integers = integerWeights(data, shifted, scale);
  const dequantize = (part: "weight" | "bias", dims: readonly number[]): OnnxNode => {
    const [values, scales] = [`${node.name}.${part}.quantized`, `${node.name}.${part}.quantum`];
    constants.set(values, { shape: dims, data: integers[part] });
    constants.set(scales, { shape: [node.shape[0]], data: integers[`${part}Scale`] });
    return operation("DequantizeLinear", [values, scales], `${node.name}.${part}.dequantized`, [attribute("axis", 0)]);
  };
  return [dequantize("weight", shape), dequantize("bias", [node.shape[0]]), convOperation(node, ".dequantized")];
}
