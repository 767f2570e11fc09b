// Gradients of every kind of node against central differences of a float64 reference.
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { type Graph, inputShape } from "../../../src/model/graph.ts";
import { random } from "../../../src/model/random.ts";
import { elementCount } from "../../../src/model/weights/safetensors.ts";
import { planTraining, shapeOf } from "../../../src/training/backward/plan.ts";
import { channelBlock } from "../../../src/training/engines/channel-block.ts";
import { randomWeights } from "../../model/support/random-weights.ts";
import { referenceForward } from "../support/reference-network.ts";
import { runModels } from "../support/run-models.ts";
import { SMALL_GRAPHS } from "../support/small-graphs.ts";

const STEP = 1e-5;
const block = await channelBlock(ort);

describe.each(Object.entries(SMALL_GRAPHS))("%s", (_, build) => {
  test.each([1, 3])("gradients of a batch of %d are those of differences to 1e-4", async (batch) => {
    const graph = build();
    const next = random(batch);
    const [, height, width] = inputShape(graph);
    const pictures = Uint8Array.from({ length: batch * height * width * 3 }, () => next() * 256);
    const weights = randomWeights(graph, 7);
    const exact = new Map([...weights].map(([name, { data }]) => [name, { data: Float64Array.from(data) }]));
    const size = height * width * 3;
    const forward = (): ReturnType<typeof referenceForward>[] =>
      Array.from({ length: batch }, (__, n) =>
        referenceForward(graph, exact, pictures.subarray(n * size, (n + 1) * size)),
      );
    const answers = forward();
    const draw = (length: number): Float32Array => Float32Array.from({ length }, () => next() * 2 - 1);
    const towards = {
      offsets: draw(batch * answers[0]!.offsets.length),
      logits: draw(batch * answers[0]!.logits.length),
    };
    const objective = (): number =>
      forward().reduce((sum, { offsets, logits }, n) => {
        const parts = [dot(offsets, towards.offsets, n), dot(logits, towards.logits, n)];
        return sum + parts[0]! + parts[1]!;
      }, 0);
    const ours = await runModels(planTraining(graph), weights, pictures, batch, towards, { block });
    for (const [name, { data }] of exact) {
      const gradient = ours.gradients.get(name)!;
      expect(gradient).toHaveLength(data.length);
      const [apart, whole] = [[], []] as [number[], number[]];
      // Primes, so that all channels and pixels of kernels come up.
      for (let i = 0; i < data.length; i += data.length > 400 ? 61 : data.length > 60 ? 7 : 1) {
        const value = data[i]!;
        data[i] = value + STEP;
        const above = objective();
        data[i] = value - STEP;
        const below = objective();
        data[i] = value;
        const wanted = (above - below) / (2 * STEP);
        apart.push(gradient[i]! - wanted);
        whole.push(wanted);
      }
      expect({ name, isNear: Math.hypot(...apart) < 1e-4 * Math.hypot(...whole) }).toEqual({ name, isNear: true });
    }
  });
});

describe.each(["conv 3x3", "conv 3x3 to fewer channels"])("%s", (name) => {
  test("in less memory more products give the same gradients", async () => {
    const graph = SMALL_GRAPHS[name]!();
    const next = random(1);
    const draw = (length: number): Float32Array => Float32Array.from({ length }, () => next() * 2 - 1);
    const [, height, width] = inputShape(graph);
    const pictures = Uint8Array.from({ length: 2 * height * width * 3 }, () => next() * 256);
    const rows = (node: string): number => 2 * elementCount(shapeOf(graph, node));
    const towards = { offsets: draw(rows(graph.offsets)), logits: draw(rows(graph.logits)) };
    const run = async (mostShifted?: number): Promise<number[]> => {
      const { gradients } = await runModels(planTraining(graph), randomWeights(graph, 7), pictures, 2, towards, {
        mostShifted,
      });
      return [...gradients.get("tested.weight")!];
    };
    const whole = await run();
    for (const mostShifted of [1, 2000]) {
      const parts = await run(mostShifted);
      expect(parts).toHaveLength(whole.length);
      expect(Math.max(...parts.map((value, i) => Math.abs(value - whole[i]!)))).toBeLessThan(
        1e-5 * Math.max(...whole.map(Math.abs)),
      );
    }
  });
});

describe("a plan of what learns", () => {
  test("what a depthwise convolution reads is kept, what it makes is computed again, and a dense one's output is kept", () => {
    const depthwise = planTraining(SMALL_GRAPHS["wide depthwise 3x3 between two relu6"]!());
    const dense = planTraining(SMALL_GRAPHS["wide conv 3x3 between two relu, to channels that fill no block"]!());
    const [before, after] = depthwise.graph.nodes.filter(({ kind }) => kind === "relu6").map(({ name }) => name);
    expect(depthwise.kept).toEqual(["input", before]);
    expect(depthwise.recomputed).toEqual(new Set(["tested", after]));
    expect(dense.recomputed.size).toBe(0);
    expect(dense.kept).toHaveLength(3);
  });

  test("the graphs together have every kind of node", () => {
    const kinds = new Set(Object.values(SMALL_GRAPHS).flatMap((build) => build().nodes.map(({ kind }) => kind)));
    const all: Graph["nodes"][number]["kind"][] = [
      ...(["input", "conv", "maxpool", "l2norm", "relu", "relu6", "sigmoid", "softmax", "add", "rows"] as const),
    ];
    expect([...kinds].toSorted()).toEqual(all.toSorted());
  });
});

function dot(values: Float64Array, towards: Float32Array, picture: number): number {
  return values.reduce((sum, value, i) => sum + value * towards[picture * values.length + i]!, 0);
}
