// The engine on onnxruntime-node.
import type * as OnnxRuntime from "onnxruntime-node";
import { availableParallelism } from "node:os";
import { MultiboxError } from "../../errors.ts";
import { compileOnnx } from "../compile/onnx.ts";
import { type InputNode, outputShapes, type Shape } from "../graph.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";
import { choosePrecision, hasIntegerDotProducts } from "./precision.ts";

// On a CPU a larger batch is no cheaper a picture, and its feature maps leave the cache: 8 at once take a sixth longer than
// 2 at a time (bench/README.md).
const PART = 2;

/**
 * Opens `onnx:cpu`. Fails with ENGINE_MISSING where the package or its binary for this platform is not installed, and with
 * PRECISION_UNAVAILABLE where int8 is asked for and the network was never observed.
 */
export async function openOnnxCpu(network: Network, { threads, precision }: EngineOptions): Promise<Engine> {
  const { graph, weights, ranges } = network;
  const isInt8 = choosePrecision(network, precision) === "int8";
  const ort = await importOnnxRuntime();
  const intraOpNumThreads = threads || availableParallelism();
  const session = await ort.InferenceSession.create(compileOnnx(graph, weights, isInt8 ? ranges : undefined), {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Threads that spin while they wait take the cores from the decoders that they wait for.
    // Sums of products of uint8 and int8 overflow 16 bits where there is no VNNI; with this both become uint8, at some cost.
    extra: { session: { intra_op: { allow_spinning: "0" }, x64quantprecision: hasIntegerDotProducts() ? "0" : "1" } },
  });
  const [, height, width] = (graph.nodes[0] as InputNode).shape;
  const pictureBytes = height * width * 3;
  const shapes = outputShapes(graph);
  const input = new Uint8Array(PART * pictureBytes);
  let answer = { offsets: new Float32Array(0), logits: new Float32Array(0) };
  let closed = false;
  let running: Promise<unknown> = Promise.resolve();

  /** Runs `n` pictures from picture `from` on, straight into their place in the answer. */
  const runPart = async (batch: Uint8Array, from: number, n: number): Promise<void> => {
    const output = (data: Float32Array, [, rows, columns]: Shape): OnnxRuntime.Tensor => {
      const size = rows * columns;
      return new ort.Tensor("float32", data.subarray(from * size, (from + n) * size), [n, rows, columns]);
    };
    const part = batch.subarray(from * pictureBytes, (from + n) * pictureBytes);
    const isShared = part.buffer instanceof SharedArrayBuffer;
    // The runtime takes no shared memory.
    if (isShared) input.set(part);
    const pictures = isShared ? input.subarray(0, n * pictureBytes) : part;
    await session.run(
      { pictures: new ort.Tensor("uint8", pictures, [n, height, width, 3]) },
      { [graph.offsets]: output(answer.offsets, shapes.offsets), [graph.logits]: output(answer.logits, shapes.logits) },
    );
  };

  return {
    description: `onnx:cpu${isInt8 ? " int8" : ""}, ${intraOpNumThreads} ${intraOpNumThreads === 1 ? "thread" : "threads"}`,
    threads: intraOpNumThreads,
    async run(batch, n) {
      if (closed) throw new MultiboxError("ENGINE_CLOSED", "The engine onnx:cpu was asked to run after it was closed.");
      const [, boxes, classes] = shapes.logits;
      if (answer.offsets.length < n * boxes * 4) {
        answer = { offsets: new Float32Array(n * boxes * 4), logits: new Float32Array(n * boxes * classes) };
      }
      const parts = (async (): Promise<void> => {
        for (let from = 0; from < n; from += PART) await runPart(batch, from, Math.min(PART, n - from));
      })();
      running = parts.catch(() => undefined);
      await parts;
      return {
        offsets: answer.offsets.subarray(0, n * boxes * 4),
        logits: answer.logits.subarray(0, n * boxes * classes),
      };
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

/** The package, imported on demand. Fails with ENGINE_MISSING. */
export async function importOnnxRuntime(): Promise<typeof OnnxRuntime> {
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
