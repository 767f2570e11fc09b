// A graph in int8 as ONNX has it: float32 operations between QuantizeLinear and DequantizeLinear, which a runtime fuses.
import { MultiboxError } from "../../errors.ts";
import type { Ranges } from "../engines/engine.ts";
import { type ConvNode, type Graph, type GraphNode, inputsOf, type InputNode } from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { type Int8Plan, planInt8 } from "./int8-plan.ts";
import { matrixHead, matrixHeads } from "./onnx-int8-heads.ts";
import { type Constants, convOperation, nodeOperations, rowsOperations, transposed } from "./onnx-nodes.ts";
import { attribute, type OnnxNode, operation } from "./onnx-proto.ts";
import { type Affine, affineOf, integerWeights } from "./quantize.ts";

/**
 * All operations of a graph. Activations are uint8 with a scale and a zero point a tensor, weights int8 with a scale a channel.
 * Fails with PRECISION_UNAVAILABLE where the range of a node is missing.
 */
export function int8Operations(graph: Graph, weights: Tensors, ranges: Ranges, constants: Constants): OnnxNode[] {
  const plan = planInt8(graph);
  const input = graph.nodes[0] as InputNode;
  const bytes = bytesAsIntegers(input, graph, plan);
  const affines = new Map<string, Affine>([[input.name, bytes?.affine ?? affineOf(inputRange(input))]]);
  for (const node of graph.nodes) {
    if (plan.quantized.has(node.name) && node !== input) affines.set(node.name, affineOf(rangeOf(node, ranges, graph)));
    const source = plan.pooled.get(node.name);
    if (source !== undefined) affines.set(node.name, affines.get(source)!);
  }
  const heads = matrixHeads(graph, affines);
  const channelsLast = (name: string): OnnxNode[] => {
    const head = heads.get(name);
    return head ? matrixHead(head, weights, affines.get(head.input)!, constants) : transposed(name);
  };
  const folded = new Map([...plan.folded].map(([conv, activation]) => [activation.name, conv]));
  const operations = graph.nodes.flatMap((node): OnnxNode[] => {
    if (node === input && bytes) return bytes.operations(constants);
    const affine = affines.get(node.name);
    const rounding = affine ? roundingOperations(node.name, folded.get(node.name) ?? node.name, affine, constants) : [];
    // The limits of its integers are those of the activation.
    if (folded.has(node.name)) return rounding;
    // Made where it is laid out as rows.
    if (heads.has(node.name)) return [];
    if (node.kind === "rows") return rowsOperations(node, constants, channelsLast);
    const reading = readingIntegers(node, affines);
    if (node.kind !== "conv" || !plan.convs.has(node.name)) return [...nodeOperations(reading, constants), ...rounding];
    const scale = affines.get(node.input)!.scale;
    const shift = node.input === input.name ? (bytes?.shift ?? 0) : 0;
    return [...convOperations(reading as ConvNode, weights, scale, shift, constants), ...rounding];
  });
  // Runtimes compute what nobody reads: here the float32 numbers of what only products of integers read.
  const read = new Set(operations.flatMap(({ input: names }) => names ?? []));
  return operations.filter(({ opType, name }) => opType !== "DequantizeLinear" || read.has(name));
}

const dequantized = (name: string): string => `${name}.dequantized`;

/** The same node, reading the rounded values of what is quantised. */
function readingIntegers(node: GraphNode, affines: ReadonlyMap<string, Affine>): GraphNode {
  const rounded = (name: string): string => (affines.has(name) ? dequantized(name) : name);
  if (node.kind === "input") return node;
  if (node.kind === "rows") return node;
  if (node.kind === "add") return { ...node, inputs: [rounded(node.inputs[0]), rounded(node.inputs[1])] };
  return { ...node, input: rounded(node.input) };
}

function roundingOperations(name: string, from: string, affine: Affine, constants: Constants): OnnxNode[] {
  const parameters = affineConstants(name, affine, constants);
  return [
    operation("QuantizeLinear", [from, ...parameters], `${name}.quantized`),
    operation("DequantizeLinear", [`${name}.quantized`, ...parameters], dequantized(name)),
  ];
}

function affineConstants(name: string, { scale, zeroPoint }: Affine, constants: Constants): string[] {
  constants.set(`${name}.quantum`, { shape: [], data: Float32Array.of(scale) });
  constants.set(`${name}.zero`, { shape: [], data: Uint8Array.of(zeroPoint) });
  return [`${name}.quantum`, `${name}.zero`];
}

/** `shift`: what its input is in truth above what it reads. */
function convOperations(
  node: ConvNode,
  weights: Tensors,
  inputScale: number,
  shift: number,
  constants: Constants,
): OnnxNode[] {
  const { shape, data } = weights.get(`${node.name}.weight`)!;
  const size = data.length / node.shape[0];
  const bias = weights.get(`${node.name}.bias`)!.data.map((value, channel) => {
    const sum = data.subarray(channel * size, (channel + 1) * size).reduce((total, weight) => total + weight, 0);
    return value + shift * sum;
  });
  const integers = integerWeights(data, bias, inputScale);
  const dequantize = (part: "weight" | "bias", dims: readonly number[]): OnnxNode => {
    const [values, scales] = [`${node.name}.${part}.quantized`, `${node.name}.${part}.quantum`];
    constants.set(values, { shape: dims, data: integers[part] });
    constants.set(scales, { shape: [node.shape[0]], data: integers[`${part}Scale`] });
    return operation("DequantizeLinear", [values, scales], `${node.name}.${part}.dequantized`, [attribute("axis", 0)]);
  };
  return [dequantize("weight", shape), dequantize("bias", [node.shape[0]]), convOperation(node, ".dequantized")];
}

/** What a node's output may be; relu and relu6 have limits that no observation can widen. */
function rangeOf(node: GraphNode, ranges: Ranges, graph: Graph): readonly [number, number] {
  const range = ranges.get(node.name);
  if (!range) {
    throw new MultiboxError(
      "PRECISION_UNAVAILABLE",
      `${graph.name} cannot run in int8: the range of its node ${node.name} is missing.`,
      "Run `multibox quantize` to find the ranges, or take --precision fp32.",
    );
  }
  if (node.kind === "relu") return [0, range[1]];
  return node.kind === "relu6" ? [0, Math.min(6, range[1])] : range;
}

function inputRange({ mean, scale }: InputNode): readonly [number, number] {
  const limits = mean.flatMap((value) => [-value * scale, (255 - value) * scale]);
  return [Math.min(...limits), Math.max(...limits)];
}

interface InputBytes {
  readonly affine: Affine;
  /** In real units, what (byte - mean) * scale is above (byte - zero point) * scale. */
  readonly shift: number;
  readonly operations: (constants: Constants) => OnnxNode[];
}

/**
 * The pictures' bytes are integers already where all channels have the same mean: what a zero point cannot say of it, half a
 * step, goes into the biases (padding is off by that half).
 */
function bytesAsIntegers({ name, mean, scale }: InputNode, graph: Graph, plan: Int8Plan): InputBytes | undefined {
  const [first] = mean;
  const isUniform = mean.every((value) => value === first) && first >= 0 && first <= 255 && scale > 0;
  const readers = graph.nodes.filter((node) => inputsOf(node).includes(name));
  if (!isUniform || !readers.every((reader) => plan.convs.has(reader.name))) return undefined;
  const affine = { scale: Math.fround(scale), zeroPoint: Math.round(first) };
  return {
    affine,
    shift: (affine.zeroPoint - first) * scale,
    operations: (constants) => [
      operation("Transpose", ["pictures"], "pictures.planar", [attribute("perm", [0, 3, 1, 2])]),
      operation(
        "DequantizeLinear",
        ["pictures.planar", ...affineConstants(name, affine, constants)],
        dequantized(name),
      ),
    ],
  };
}
