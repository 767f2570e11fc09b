// The way back through one node: from what the loss changes by with its output to the same for its inputs and weights.
import { attribute, onnx, operation, textAttribute } from "../../model/compile/onnx-proto.ts";
import type { ActivationNode, GraphNode, L2NormNode, MaxPoolNode, RowsNode, Shape } from "../../model/graph.ts";
import { biasGradient, inputGradient } from "./conv-gradients.ts";
import { blocksOf, type ModelParts } from "./parts.ts";
import { weightGradient } from "./weight-gradients.ts";

export interface BackwardContext {
  /** Nodes through which gradients flow; the others need none. */
  readonly live: ReadonlySet<string>;
  /** Names of the weights that learn. */
  readonly trained: ReadonlySet<string>;
  readonly shapeOf: (node: string) => Shape;
  /** Of the batch. */
  readonly pictures: number;
}

/** The name of what the loss changes by with a weight, or with an answer. */
export const gradientName = (name: string): string => `${name}.gradient`;

/** Adds a node's way back. `gradient` is all of what the loss changes by with its output. */
export function addNodeGradient(
  parts: ModelParts,
  node: GraphNode,
  gradient: string,
  { live, trained, shapeOf, pictures }: BackwardContext,
): void {
  const pass = (input: string, make: () => string): void => {
    if (live.has(input)) parts.contribute(input, make());
  };
  switch (node.kind) {
    case "input":
      return;
    case "conv": {
      const [weight, bias] = [`${node.name}.weight`, `${node.name}.bias`];
      const inputShape = shapeOf(node.input);
      if (trained.has(weight)) weightGradient(parts, node, gradient, inputShape, pictures, gradientName(weight));
      if (trained.has(bias)) biasGradient(parts, node, gradient, gradientName(bias));
      return pass(node.input, () => inputGradient(parts, node, gradient, inputShape));
    }
    case "maxpool":
      return pass(node.input, () => poolGradient(parts, node, gradient, shapeOf(node.input), pictures));
    case "l2norm":
      return normGradient(parts, node, gradient, trained.has(`${node.name}.scale`), (make) => pass(node.input, make));
    case "relu":
    case "relu6":
    case "sigmoid":
    case "softmax":
      return pass(node.input, () => activationGradient(parts, node, gradient));
    case "add":
      for (const input of node.inputs) pass(input, () => gradient);
      return;
    case "rows":
      return rowsGradient(parts, node, gradient, shapeOf, pass);
  }
}

/** From the activation's output, which is kept rather than its input: it is what the next node reads anyway. */
function activationGradient(parts: ModelParts, { kind, name, shape }: ActivationNode, gradient: string): string {
  switch (kind) {
    case "relu":
    case "relu6": {
      const result = parts.newName();
      if (!parts.hasBlocks(gradient)) return masked(parts, gradient, kind, name, result);
      masked(parts, parts.inBlocks(gradient), kind, parts.inBlocks(name), blocksOf(result));
      return parts.fromBlocks(result, shape[0]);
    }
    case "sigmoid": {
      const slope = parts.add("Mul", [name, parts.add("Sub", [parts.number(1), name])]);
      return parts.add("Mul", [gradient, slope]);
    }
    case "softmax": {
      const weighted = parts.add("Mul", [gradient, name]);
      const sum = parts.add("ReduceSum", [weighted, parts.integers(-1)]);
      return parts.add("Sub", [weighted, parts.add("Mul", [name, sum])]);
    }
  }
}

/** As a product, which takes three quarters of the time of a choice between two. */
function masked(parts: ModelParts, gradient: string, kind: "relu" | "relu6", name: string, output: string): string {
  const above = parts.add("Greater", [name, parts.number(0)]);
  const mask = kind === "relu" ? above : parts.add("And", [above, parts.add("Less", [name, parts.number(6)])]);
  const ones = parts.add("Cast", [mask], [attribute("to", onnx.TensorProto.DataType.FLOAT)]);
  return parts.add("Mul", [gradient, ones], [], output);
}

/** Each window's gradient goes to its greatest value, the first of equal ones; windows may overlap. */
function poolGradient(
  parts: ModelParts,
  { name, input, kernel, stride, padding }: MaxPoolNode,
  gradient: string,
  [channels, height, width]: Shape,
  pictures: number,
): string {
  const places = `${name}.places`;
  parts.push(
    operation(
      "MaxPool",
      [input],
      [`${name}.greatest`, places],
      [
        attribute("kernel_shape", [kernel, kernel]),
        attribute("strides", [stride, stride]),
        attribute("pads", [...padding]),
      ],
    ),
  );
  const size = pictures * channels * height * width;
  const zeros = parts.add("ConstantOfShape", [parts.integers(size)]);
  const updates = [parts.reshape(places, -1), parts.reshape(gradient, -1)];
  const scattered = parts.add("ScatterElements", [zeros, ...updates], [textAttribute("reduction", "add")]);
  return parts.reshape(scattered, pictures, channels, height, width);
}

/** y = scale * u, u = x / |x|: towards x it is (scale * dy, less its share along u) / |x|. */
function normGradient(
  parts: ModelParts,
  { name, input, shape: [channels] }: L2NormNode,
  gradient: string,
  scaleLearns: boolean,
  pass: (make: () => string) => void,
): void {
  const length = parts.add("ReduceL2", [input], [attribute("axes", [1])]);
  const divisor = parts.add("Max", [length, parts.number(1e-12)]);
  const unit = parts.add("Div", [input, divisor]);
  if (scaleLearns) {
    const each = parts.add("Mul", [gradient, unit]);
    const attributes = [attribute("keepdims", 0)];
    parts.add("ReduceSum", [each, parts.integers(0, 2, 3)], attributes, gradientName(`${name}.scale`));
  }
  pass(() => {
    const scaled = parts.add("Mul", [gradient, parts.reshape(`${name}.scale`, 1, channels, 1, 1)]);
    const along = parts.add("ReduceSum", [parts.add("Mul", [scaled, unit]), parts.integers(1)]);
    const across = parts.add("Sub", [scaled, parts.add("Mul", [unit, along])]);
    return parts.add("Div", [across, divisor]);
  });
}

function rowsGradient(
  parts: ModelParts,
  { inputs, columns }: RowsNode,
  gradient: string,
  shapeOf: (node: string) => Shape,
  pass: (input: string, make: () => string) => void,
): void {
  let from = 0;
  for (const input of inputs) {
    const [channels, height, width] = shapeOf(input);
    const first = from;
    from += (channels / columns) * height * width;
    const to = from;
    pass(input, () => {
      const rows = parts.add("Slice", [gradient, parts.integers(first), parts.integers(to), parts.integers(1)]);
      const last = parts.reshape(rows, 0, height, width, channels);
      return parts.add("Transpose", [last], [attribute("perm", [0, 3, 1, 2])]);
    });
  }
}
