// The engine on onnxruntime-node.
import type * as OnnxRuntime from "onnxruntime-node";
import { availableParallelism } from "node:os";
import { MultiboxError } from "../../errors.ts";
import { compileOnnx } from "../compile/onnx.ts";
import type { InputNode } from "../graph.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";

/** Opens `onnx:cpu`. Fails with ENGINE_MISSING where the package or its binary for this platform is not installed. */
export async function openOnnxCpu({ graph, weights }: Network, { threads }: EngineOptions): Promise<Engine> {
  const ort = await importOnnxRuntime();
  const intraOpNumThreads = threads || availableParallelism();
  const session = await ort.InferenceSession.create(compileOnnx(graph, weights), {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Threads that spin while they wait take the cores from the decoders that they wait for.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const [, height, width] = (graph.nodes[0] as InputNode).shape;
  const pictureBytes = height * width * 3;
  let closed = false;
  let running: Promise<unknown> = Promise.resolve();
  return {
    description: `onnx:cpu, ${intraOpNumThreads} ${intraOpNumThreads === 1 ? "thread" : "threads"}`,
    async run(batch, n) {
      if (closed) throw new MultiboxError("ENGINE_CLOSED", "The engine onnx:cpu was asked to run after it was closed.");
      const pictures = new ort.Tensor("uint8", batch.subarray(0, n * pictureBytes), [n, height, width, 3]);
      const answering = session.run({ pictures });
      running = answering.catch(() => undefined);
      const answer = await answering;
      return { offsets: floats(answer, graph.offsets), logits: floats(answer, graph.logits) };
    },
    async close() {
      if (closed) return;
      closed = true;
      // A session must not be released under a run.
      await running;
      await session.release();
    },
  };
}

function floats(answer: OnnxRuntime.InferenceSession.OnnxValueMapType, name: string): Float32Array {
  return (answer[name] as OnnxRuntime.Tensor).data as Float32Array;
}

async function importOnnxRuntime(): Promise<typeof OnnxRuntime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      `onnxruntime-node cannot be loaded on ${process.platform}-${process.arch}.`,
      "Run `npm ci` again; it needs 64-bit Linux, macOS or Windows.",
      { cause },
    );
  }
}
