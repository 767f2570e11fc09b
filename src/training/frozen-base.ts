// What the frozen part of a network says of a picture, which is always the same and so need not be computed again.
import type * as OnnxRuntime from "onnxruntime-node";
import { onnxModel } from "../model/compile/onnx.ts";
import { onnx, tensorInfo } from "../model/compile/onnx-proto.ts";
import { importOnnxRuntime } from "../model/engines/onnx-runtime.ts";
import { type Graph, inputsOf, inputShape } from "../model/graph.ts";
import { elementCount, type Tensors } from "../model/weights/safetensors.ts";
import { shapeOf, type TrainingPlan } from "./backward/plan.ts";

/** One picture at a time, so that what it says of a picture does not depend on others. */
export class FrozenBase {
  /** Names of the features, in the plan's order, and how many numbers each has. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly #ort: typeof OnnxRuntime;
  readonly #session: OnnxRuntime.InferenceSession;
  readonly #input: readonly number[];

  /** Fails with ENGINE_MISSING. */
  static async open(
    { graph, frontier }: TrainingPlan,
    weights: Tensors,
    threads: number,
    cacheDir?: string,
  ): Promise<FrozenBase> {
    const ort = await importOnnxRuntime(cacheDir);
    const session = await ort.InferenceSession.create(baseModel(graph, frontier, weights), {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      logSeverityLevel: 3,
    });
    const sizes = new Map(frontier.map((name) => [name, elementCount(shapeOf(graph, name))] as const));
    return new FrozenBase(ort, session, graph, sizes);
  }

  private constructor(
    ort: typeof OnnxRuntime,
    session: OnnxRuntime.InferenceSession,
    graph: Graph,
    sizes: ReadonlyMap<string, number>,
  ) {
    this.#ort = ort;
    this.#session = session;
    const [, height, width] = inputShape(graph);
    this.#input = [1, height, width, 3];
    this.sizes = sizes;
  }

  /** The features of a picture, one after the other, written to `out`. */
  async run(pixels: Uint8Array, out: Float32Array): Promise<void> {
    const answer = await this.#session.run({ pictures: new this.#ort.Tensor("uint8", pixels, this.#input) });
    let at = 0;
    for (const [name, size] of this.sizes) {
      out.set(answer[name]!.data as Float32Array, at);
      at += size;
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** The nodes that the features need, and no others. */
function baseModel(graph: Graph, frontier: readonly string[], weights: Tensors): Uint8Array {
  const needed = new Set(frontier);
  for (const node of graph.nodes.toReversed()) {
    if (needed.has(node.name)) for (const input of inputsOf(node)) needed.add(input);
  }
  const nodes = graph.nodes.filter(({ name }) => needed.has(name));
  const model = onnxModel({ ...graph, nodes, offsets: frontier[0]!, logits: frontier[0]! }, weights);
  model.graph!.output = frontier.map((name) => tensorInfo(name, onnx.TensorProto.DataType.FLOAT, shapeOf(graph, name)));
  return onnx.ModelProto.encode(model).finish();
}
