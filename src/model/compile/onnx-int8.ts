// A graph in int8 as ONNX has it: float32 operations between QuantizeLinear and DequantizeLinear, which a runtime fuses.
import { MultiboxError } from "../../errors.ts";
import type { Ranges } from "../engines/engine.ts";
import type { ConvNode, Graph, GraphNode, InputNode } from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { planInt8 } from "./int8-plan.ts";
import { matrixHead, matrixHeads } from "./onnx-int8-heads.ts";
import { bytesAsIntegers, inBlocks, inputRange } from "./onnx-int8-input.ts";
import { dequantized, integerConvOperations, roundingOperations } from "./onnx-int8-parts.ts";
import { type Constants, nodeOperations, rowsOperations, transposed } from "./onnx-nodes.ts";
import type { OnnxNode } from "./onnx-proto.ts";
import { type Affine, affineOf } from "./quantize.ts";

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
    const reading = readingIntegers(node, affines);
    if (reading.kind === "rows") return rowsOperations(reading, constants, channelsLast);
    if (node.kind !== "conv" || !plan.convs.has(node.name)) return [...nodeOperations(reading, constants), ...rounding];
    const { scale } = affines.get(node.input)!;
    const bias = weights.get(`${node.name}.bias`)!;
    const plain = { node: reading as ConvNode, weight: weights.get(`${node.name}.weight`)! };
    const readsBytes = node.input === input.name && bytes !== undefined;
    const { node: conv, weight } = readsBytes && bytes.blocks ? inBlocks(plain) : plain;
    const source = { scale, shift: readsBytes ? bytes.shift : 0 };
    return [...integerConvOperations(conv, { weight, bias }, source, constants), ...rounding];
  });
  // Runtimes compute what nobody reads: here the float32 numbers of what only products of integers read.
  const read = new Set(operations.flatMap(({ input: names }) => names ?? []));
  return operations.filter(({ opType, name }) => opType !== "DequantizeLinear" || read.has(name));
}

/** The same node, reading the rounded values of what is quantised. */
function readingIntegers(node: GraphNode, affines: ReadonlyMap<string, Affine>): GraphNode {
  const rounded = (name: string): string => (affines.has(name) ? dequantized(name) : name);
  if (node.kind === "input") return node;
  if (node.kind === "rows") return { ...node, inputs: node.inputs.map(rounded) };
  if (node.kind === "add") return { ...node, inputs: [rounded(node.inputs[0]), rounded(node.inputs[1])] };
  return { ...node, input: rounded(node.input) };
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
