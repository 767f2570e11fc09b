// Leaves out the part of a kernel that only ever meets padding: the same numbers with fewer weights.
import type { ConvNode, Graph, GraphNode } from "../graph.ts";
import type { Tensor, Tensors } from "../weights/safetensors.ts";

/**
 * A convolution over a map of one pixel becomes a 1x1 convolution with the weights that meet that pixel. Not for the bytes'
 * sake: OpenCV 4.14 computes depthwise 3x3 convolutions wrongly there, unless the weights in question happen to be zeros.
 */
export function trimKernels(graph: Graph, weights: Tensors): { readonly graph: Graph; readonly weights: Tensors } {
  const shapes = new Map(graph.nodes.map(({ name, shape }) => [name, shape]));
  const trimmed = new Map(weights);
  const nodes = graph.nodes.map((node): GraphNode => {
    if (node.kind !== "conv" || node.kernel === 1) return node;
    const size = [shapes.get(node.input), node.shape].flatMap((shape) => shape!.slice(1));
    const tap = tapOf(node);
    if (size.some((side) => side !== 1) || tap === undefined) return node;
    const name = `${node.name}.weight`;
    trimmed.set(name, cut(weights.get(name)!, tap));
    return { ...node, kernel: 1, stride: 1, dilation: 1, padding: [0, 0, 0, 0] };
  });
  return { graph: { ...graph, nodes }, weights: trimmed };
}

/** Which place of the kernel lies on the first pixel; none where that is between two of them. */
function tapOf({ kernel, dilation, padding: [top, left] }: ConvNode): number | undefined {
  const [row, column] = [top / dilation, left / dilation];
  const isPlace = (at: number): boolean => Number.isInteger(at) && at < kernel;
  return isPlace(row) && isPlace(column) ? row * kernel + column : undefined;
}

function cut({ shape, data }: Tensor, tap: number): Tensor {
  const [out, each, height, width] = shape as readonly [number, number, number, number];
  const taps = Float32Array.from({ length: out * each }, (_, i) => data[i * height * width + tap]!);
  return { shape: [out, each, 1, 1], data: taps };
}
