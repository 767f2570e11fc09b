// Convolutions that read the same map in the same way, as a map's two predictors do: one convolution does the work of all of them.
import { convOperation } from "../../model/compile/onnx-nodes.ts";
import { attribute, operation } from "../../model/compile/onnx-proto.ts";
import type { ConvNode, GraphNode } from "../../model/graph.ts";
import { addBlocked, isBlocked } from "./blocked-convolutions.ts";
import { biasGradient, inputGradient } from "./conv-gradients.ts";
import { type BackwardContext, gradientName } from "./node-gradients.ts";
import type { ModelParts } from "./parts.ts";
import { weightGradient } from "./weight-gradients.ts";

export interface JointConvolution {
  /** In the order of computation. */
  readonly members: readonly ConvNode[];
  /** As one, whose filters are those of the members one after another. */
  readonly node: ConvNode;
}

/** By the name of each member. Only what learns is joined, since frozen weights are laid out ahead; and no 1 x 1, which costs little more apart. */
export function jointConvolutions(
  nodes: readonly GraphNode[],
  trained: readonly string[],
): ReadonlyMap<string, JointConvolution> {
  const alike = new Map<string, ConvNode[]>();
  for (const node of nodes) {
    if (node.kind !== "conv" || node.groups > 1 || node.kernel === 1) continue;
    if (![`${node.name}.weight`, `${node.name}.bias`].every((name) => trained.includes(name))) continue;
    const key = JSON.stringify([node.input, node.kernel, node.stride, node.padding, node.dilation]);
    alike.set(key, [...(alike.get(key) ?? []), node]);
  }
  const joints = new Map<string, JointConvolution>();
  for (const members of alike.values()) {
    const [first] = members;
    if (members.length === 1 || !first) continue;
    const channels = members.reduce((sum, { shape }) => sum + shape[0], 0);
    const name = members.map((member) => member.name).join("+");
    const node: ConvNode = { ...first, name, shape: [channels, first.shape[1], first.shape[2]] };
    for (const member of members) joints.set(member.name, { members, node });
  }
  return joints;
}

/** The way forward; the outputs have the members' names. */
export function addJoint(parts: ModelParts, { members, node }: JointConvolution): void {
  for (const kind of ["weight", "bias"]) {
    const all = members.map(({ name }) => `${name}.${kind}`);
    parts.add("Concat", all, [attribute("axis", 0)], `${node.name}.${kind}`);
  }
  if (isBlocked(parts, node)) addBlocked(parts, node);
  else parts.push(convOperation(node));
  const [first, ...others] = members.map(({ name }) => name);
  const channels = parts.integers(...members.map(({ shape }) => shape[0]));
  parts.push(operation("Split", [node.name, channels], [first!, ...others], [attribute("axis", 1)]));
}

/** The way back, given what the loss changes by with each member's output. */
export function addJointGradient(
  parts: ModelParts,
  { members, node }: JointConvolution,
  gradients: readonly string[],
  { live, shapeOf, pictures }: BackwardContext,
): void {
  const gradient = parts.add("Concat", gradients, [attribute("axis", 1)]);
  const weight = `${node.name}.weight`;
  const inputShape = shapeOf(node.input);
  weightGradient(parts, node, gradient, inputShape, pictures, gradientName(weight));
  parts.push(
    operation(
      "Split",
      [gradientName(weight), parts.integers(...members.map(({ shape }) => shape[0]))],
      members.map(({ name }) => gradientName(`${name}.weight`)) as [string, ...string[]],
      [attribute("axis", 0)],
    ),
  );
  for (const [i, member] of members.entries())
    biasGradient(parts, member, gradients[i]!, gradientName(`${member.name}.bias`));
  if (!live.has(node.input)) return;
  const weights = members.map(({ name }) => `${name}.weight`);
  parts.add("Concat", weights, [attribute("axis", 0)], weight);
  parts.contribute(node.input, inputGradient(parts, node, gradient, inputShape));
}
