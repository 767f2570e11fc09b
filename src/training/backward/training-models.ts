// A training plan -> two ONNX models: the way forward, which keeps what the way back reads, and the way back.
import { nodeOperations } from "../../model/compile/onnx-nodes.ts";
import { initializer, MICROSOFT, onnx } from "../../model/compile/onnx-proto.ts";
import { soleActivations } from "../../model/compile/windows.ts";
import { type GraphNode, inputShape, type Shape, weightShapes } from "../../model/graph.ts";
import type { Tensors } from "../../model/weights/safetensors.ts";
import { addBlocked, isBlocked } from "./blocked-convolutions.ts";
import { addJoint, addJointGradient, type JointConvolution, jointConvolutions } from "./joint-convolutions.ts";
import { addNodeGradient, type BackwardContext, gradientName } from "./node-gradients.ts";
import { BLOCKS, blocksOf, ModelParts, type PartsOptions } from "./parts.ts";
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
export function forwardModel(
  plan: TrainingPlan,
  frozen: Tensors,
  given: Given,
  batch: number,
  block?: number,
): TrainingModel {
  const { graph, live, trained, frontier, kept } = plan;
  const parts = new ModelParts({ block });
  addForward(parts, plan, given === "pictures" ? graph.nodes : graph.nodes.filter(({ name }) => live.has(name)));
  const [, height, width] = inputShape(graph);
  const inputs = new Map<string, readonly number[]>(
    given === "pictures"
      ? [["pictures", [batch, height, width, 3]]]
      : frontier.map((name) => [name, [batch, ...shapeOf(graph, name)]] as const),
  );
  const shapes = weightShapes(graph);
  for (const name of trained) inputs.set(name, shapes.get(name)!);
  const answers = [graph.offsets, graph.logits];
  const outputs = new Map(answers.map((name) => [name, [batch, ...shapeOf(graph, name).slice(1)]] as const));
  for (const name of kept) {
    if (inputs.has(name) || outputs.has(name)) continue;
    outputs.set(parts.hasBlocks(name) ? blocksOf(name) : name, [batch, ...shapeOf(graph, name)]);
  }
  return model(`${graph.name}.forward`, parts, frozen, inputs, outputs);
}

function addForward(parts: ModelParts, { graph, trained }: TrainingPlan, nodes: readonly GraphNode[]): void {
  const joints = jointConvolutions(nodes, trained);
  const activations = soleActivations(graph);
  const done = new Set<string>();
  for (const node of nodes) {
    const joint = joints.get(node.name);
    if (joint) {
      if (joint.members[0] === node) addJoint(parts, joint);
    } else if (node.kind === "conv" && trained.includes(`${node.name}.weight`) && isBlocked(parts, node)) {
      const activation = activations.get(node.name);
      if (activation) done.add(activation.name);
      addBlocked(parts, node, activation);
    } else if (!done.has(node.name)) parts.push(...nodeOperations(node, parts.constants));
  }
}

/**
 * Inputs: what the way forward has kept, the weights that the way back needs, and the gradients towards the answers (`gradientName`).
 * Outputs: the gradients towards the weights that learn.
 */
export function backwardModel(
  plan: TrainingPlan,
  frozen: Tensors,
  forward: TrainingModel,
  batch: number,
  options?: PartsOptions,
): TrainingModel {
  const { graph, live, trained, kept, recomputed } = plan;
  const shapes = weightShapes(graph);
  const parts = new ModelParts(options);
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
  for (const name of kept) {
    if (forward.outputs.has(blocksOf(name))) parts.fromBlocks(name, shapeOf(graph, name)[0]);
  }
  addForward(
    parts,
    plan,
    graph.nodes.filter(({ name }) => recomputed.has(name)),
  );
  const joints = jointConvolutions(graph.nodes, trained);
  for (const node of graph.nodes.toReversed()) {
    const joint = joints.get(node.name);
    if (joint) {
      // The last one of the way back: whatever reads any of them has been passed.
      if (joint.members[0] === node) addJointBack(parts, joint, context);
      continue;
    }
    const gradient = live.has(node.name) ? parts.gradientOf(node.name) : undefined;
    if (gradient !== undefined) addNodeGradient(parts, node, gradient, context);
  }
  const outputs = new Map(trained.map((name) => [gradientName(name), shapes.get(name)!] as const));
  for (const known of [forward.outputs, forward.inputs]) for (const [name, shape] of known) inputs.set(name, shape);
  const towards = [graph.offsets, graph.logits].map(gradientName);
  return model(`${graph.name}.backward`, parts, frozen, inputs, outputs, towards);
}

/** Members that no answer depends on have no gradient, and then the others go by themselves. */
function addJointBack(parts: ModelParts, joint: JointConvolution, context: BackwardContext): void {
  const gradients = joint.members.map(({ name }) => parts.gradientOf(name));
  if (gradients.every((gradient) => gradient !== undefined)) return addJointGradient(parts, joint, gradients, context);
  for (const [i, node] of joint.members.entries()) {
    if (gradients[i] !== undefined) addNodeGradient(parts, node, gradients[i], context);
  }
}

/** Of what could go in, what is read. Weights that are read and do not go in are constants. */
function model(
  name: string,
  parts: ModelParts,
  frozen: Tensors,
  available: ReadonlyMap<string, readonly number[]>,
  outputs: ReadonlyMap<string, readonly number[]>,
  late?: Iterable<string>,
): TrainingModel {
  const node = parts.nodesFor(new Set(outputs.keys()), late);
  const read = new Set(node.flatMap(({ input }) => input ?? []));
  const inputs = new Map([...available].filter(([input]) => read.has(input)));
  const constants = new Map([...frozen, ...parts.constants].filter(([one]) => read.has(one) && !inputs.has(one)));
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
      ...(parts.block > 0 ? [{ domain: BLOCKS, version: 1 }] : []),
    ],
    graph: {
      name,
      node,
      initializer: [...constants].map(([constant, { shape, data }]) => initializer(constant, shape, data)),
      input: [...inputs].map(info),
      output: [...outputs].map(info),
    },
  });
  return { bytes: onnx.ModelProto.encode(proto).finish(), inputs, outputs };
}
