// The last convolutions of SSDLite's heads in int8 models: integer products whose sums become float32 and are never rounded.
import type { ConvNode, Graph } from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import type { Constants } from "./onnx-nodes.ts";
import { attribute, MICROSOFT, type OnnxNode, operation } from "./onnx-proto.ts";
import { type Affine, integerWeights } from "./quantize.ts";

/** The 1x1 convolutions that only rows read, and whose input is quantised: each is a product of matrices, by its name. */
export function matrixHeads(graph: Graph, affines: ReadonlyMap<string, Affine>): Map<string, ConvNode> {
  const inputs = new Set(graph.nodes.flatMap((node) => (node.kind === "rows" ? node.inputs : [])));
  const heads = graph.nodes.filter((node): node is ConvNode => {
    if (node.kind !== "conv" || !inputs.has(node.name) || !affines.has(node.input)) return false;
    return node.kernel === 1 && node.stride === 1 && node.groups === 1 && node.padding.every((side) => side === 0);
  });
  return new Map(heads.map((node) => [node.name, node]));
}

/**
 * The map of such a convolution, channels last: ONNX Runtime keeps quantised maps that way, so no data are moved. Sums of integer
 * products times a scale are as fine as float32, where outputs of 256 levels would make many scores equal.
 */
export function matrixHead(
  { name, input, inChannels, shape: [channels] }: ConvNode,
  weights: Tensors,
  { scale }: Affine,
  constants: Constants,
): OnnxNode[] {
  const bias = weights.get(`${name}.bias`)!;
  const integers = integerWeights(weights.get(`${name}.weight`)!.data, new Float32Array(channels), scale);
  const matrix = new Int8Array(integers.weight.length);
  for (let out = 0; out < channels; out++) {
    for (let i = 0; i < inChannels; i++) matrix[i * channels + out] = integers.weight[out * inChannels + i]!;
  }
  const constant = (part: string, shape: readonly number[], data: Int8Array | Float32Array): string => {
    constants.set(`${name}.${part}`, { shape, data });
    return `${name}.${part}`;
  };
  const inputs = [
    `${name}.input`,
    constant("matrix", [inChannels, channels], matrix),
    `${input}.quantum`,
    constant("matrix.quantum", [channels], integers.weightScale),
    `${input}.zero`,
    constant("matrix.zero", [], Int8Array.of(0)),
    constant("bias", [channels], bias.data),
  ];
  const product = operation("MatMulIntegerToFloat", inputs, `${name}.last`);
  product.domain = MICROSOFT;
  return [operation("Transpose", [`${input}.quantized`], `${name}.input`, [attribute("perm", [0, 2, 3, 1])]), product];
}
