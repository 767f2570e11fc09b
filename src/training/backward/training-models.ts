// A training plan -> two ONNX models: the way forward, which keeps what the way back reads, and the way back.
import { type Constants, nodeOperations } from "../../model/compile/onnx-nodes.ts";
import { initializer, MICROSOFT, onnx, type OnnxNode } from "../../model/compile/onnx-proto.ts";
import { inputShape, type Shape, weightShapes } from "../../model/graph.ts";
import type { Tensors } from "../../model/weights/safetensors.ts";
import { addJointGradient, type JointConvolution, jointConvolutions, jointOperations } from "./joint-convolutions.ts";
import { addNodeGradient, type BackwardContext, gradientName } from "./node-gradients.ts";
import { BackwardParts } from "./parts.ts";
import { shapeOf, type TrainingPlan } from "./plan.ts";

// ScatterElements adds since 16; ReduceL2 takes its axes as an attribute until 17.
const OPSET = 16;
const IR_VERSION = 8;

/** What goes in: pictures, or what the frozen part of the network says of them. */
export type Given = "pictures" | "features";

/** One of the two models, and the names and shapes of what goes in and comes out, whole batches. */
export interface TrainingModel {
  readonly bytes: Uint8Array;
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
}

/**
 * Inputs: `pictures`, uint8 [batch, height, width, 3], or the plan's frontier; and the weights that learn. Outputs: the answers, and
 * what the plan keeps. Frozen weights are constants, which ONNX Runtime lays out as it likes best.
 */
export function forwardModel(plan: TrainingPlan, frozen: Tensors, given: Given, batch: number): TrainingModel {
  const { graph, live, trained, frontier, kept } = plan;
  const constants: Constants = new Map();
  const nodes = graph.nodes.filter(({ name }) => given === "pictures" || live.has(name));
  const joints = jointConvolutions(nodes, trained);
  const operations = nodes.flatMap((node) => {
    const joint = joints.get(node.name);
    if (!joint) return nodeOperations(node, constants);
    return joint.members[0] === node ? jointOperations(joint, constants) : [];
  });
  const [, height, width] = inputShape(graph);
  const inputs = new Map<string, readonly number[]>(
    given === "pictures"
      ? [["pictures", [batch, height, width, 3]]]
      : frontier.map((name) => [name, [batch, ...shapeOf(graph, name)]] as const),
  );
  const shapes = weightShapes(graph);
  for (const name of trained) inputs.set(name, shapes.get(name)!);
  addFrozen(constants, operations, inputs, frozen, shapes);
  const answers = [graph.offsets, graph.logits];
  const outputs = new Map(answers.map((name) => [name, [batch, ...shapeOf(graph, name).slice(1)]] as const));
  for (const name of kept) {
    if (!inputs.has(name) && !outputs.has(name)) outputs.set(name, [batch, ...shapeOf(graph, name)]);
  }
  return model(`${graph.name}.forward`, operations, constants, inputs, outputs);
}

/**
 * Inputs: what the plan keeps, the weights that the way back needs, and the gradients towards the answers (`gradientName`). Outputs: the
 * gradients towards the weights that learn.
 */
export function backwardModel(plan: TrainingPlan, frozen: Tensors, batch: number, mostShifted?: number): TrainingModel {
  const { graph, live, trained, kept } = plan;
  const shapes = weightShapes(graph);
  const parts = new BackwardParts(mostShifted);
  const context = {
    live,
    trained: new Set(trained),
    shapeOf: (name: string): Shape => shapeOf(graph, name),
    pictures: batch,
  };
  const inputs = new Map<string, readonly number[]>();
  for (const name of [graph.offsets, graph.logits]) {
    inputs.set(gradientName(name), [batch, ...shapeOf(graph, name).slice(1)]);
    parts.contribute(name, gradientName(name));
  }
  const joints = jointConvolutions(graph.nodes, trained);
  for (const node of graph.nodes.toReversed()) {
    const joint = joints.get(node.name);
    if (joint) {
      // The last one of the way back: whatever reads any of them has been passed.
      if (joint.members[0] === node) addJoint(parts, joint, context);
      continue;
    }
    const gradient = live.has(node.name) ? parts.gradientOf(node.name) : undefined;
    if (gradient !== undefined) addNodeGradient(parts, node, gradient, context);
  }
  const read = new Set(parts.nodes.flatMap(({ input }) => input ?? []));
  const isAnswer = (name: string): boolean => name === graph.offsets || name === graph.logits;
  for (const name of kept) {
    const shape = shapeOf(graph, name);
    if (read.has(name)) inputs.set(name, [batch, ...(isAnswer(name) ? shape.slice(1) : shape)]);
  }
  for (const name of trained) if (read.has(name)) inputs.set(name, shapes.get(name)!);
  addFrozen(parts.constants, parts.nodes, inputs, frozen, shapes);
  const outputs = new Map(trained.map((name) => [gradientName(name), shapes.get(name)!] as const));
  return model(`${graph.name}.backward`, parts.nodes, parts.constants, inputs, outputs);
}

/** Members that no answer depends on have no gradient, and then the others go by themselves. */
function addJoint(parts: BackwardParts, joint: JointConvolution, context: BackwardContext): void {
  const gradients = joint.members.map(({ name }) => parts.gradientOf(name));
  if (gradients.every((gradient) => gradient !== undefined)) return addJointGradient(parts, joint, gradients, context);
  for (const [i, node] of joint.members.entries()) {
    if (gradients[i] !== undefined) addNodeGradient(parts, node, gradients[i], context);
  }
}

/** Weights that are read and are no inputs. */
function addFrozen(
  constants: Constants,
  operations: readonly OnnxNode[],
  inputs: ReadonlyMap<string, unknown>,
  frozen: Tensors,
  shapes: ReadonlyMap<string, unknown>,
): void {
  const read = new Set(operations.flatMap(({ input }) => input ?? []));
  for (const name of shapes.keys()) {
    if (read.has(name) && !inputs.has(name)) constants.set(name, frozen.get(name)!);
  }
}

function model(
  name: string,
  operations: OnnxNode[],
  constants: Constants,
  inputs: ReadonlyMap<string, readonly number[]>,
  outputs: ReadonlyMap<string, readonly number[]>,
): TrainingModel {
  const { FLOAT, UINT8 } = onnx.TensorProto.DataType;
  const info = ([tensor, shape]: readonly [string, readonly number[]]): ReturnType<
    typeof onnx.ValueInfoProto.create
  > => {
    const dim = shape.map((dimValue) => ({ dimValue }));
    const elemType = tensor === "pictures" ? UINT8 : FLOAT;
    return onnx.ValueInfoProto.create({ name: tensor, type: { tensorType: { elemType, shape: { dim } } } });
  };
  const proto = onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: "multibox",
    opsetImport: [
      { domain: "", version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: {
      name,
      node: operations,
      initializer: [...constants].map(([constant, { shape, data }]) => initializer(constant, shape, data)),
      input: [...inputs].map(info),
      output: [...outputs].map(info),
    },
  });
  return { bytes: onnx.ModelProto.encode(proto).finish(), inputs, outputs };
}
