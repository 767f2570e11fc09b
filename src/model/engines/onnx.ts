// The engine on ONNX Runtime and the CPU.
import { availableParallelism } from "node:os";
import { countOf } from "../../count.ts";
import type { CompiledOnnx } from "./compiled-onnx.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";
import { importOnnxRuntime } from "./onnx-runtime.ts";
import { engineOnSession } from "./onnx-session.ts";
import { hasIntegerDotProducts } from "./precision.ts";

// On a CPU a larger batch is no cheaper a picture, and its feature maps leave the cache: 8 at once take a sixth longer than
// 2 at a time (bench/README.md). Those of int8 are a quarter as large, and its operations so short that waking threads for them
// counts. A session of one thread wakes none, and has neighbours that want the cache as well: two at a time are no better there than one,
// whose answer does not depend on its batch.
const PART = { fp32: 2, int8: 4 };

/**
 * Opens `onnx:cpu`. Fails with ENGINE_MISSING where ONNX Runtime is not there or cannot be loaded, and with
 * PRECISION_UNAVAILABLE where int8 is asked for and the network was never observed.
 */
export async function openOnnxCpu(network: Network, options: EngineOptions): Promise<Engine> {
  const { compileForCpu } = await import("./compiled-onnx.ts");
  return openCompiledOnnx(compileForCpu(network, options), options);
}

/** The same with a network that was compiled already, by this thread or another. */
export async function openCompiledOnnx(
  { graph, isInt8, floor, model: bytes }: CompiledOnnx,
  { threads, cacheDir }: Pick<EngineOptions, "threads" | "cacheDir">,
): Promise<Engine> {
  const ort = await importOnnxRuntime(cacheDir);
  const intraOpNumThreads = threads || availableParallelism();
  // The runtime takes no shared memory; a slice of it is a copy that is not shared.
  const model = bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Threads that spin while they wait take the cores from the decoders that they wait for.
    // Sums of products of uint8 and int8 overflow 16 bits where there is no VNNI; with this both become uint8, at some cost.
    extra: {
      session: {
        intra_op: { allow_spinning: "0" },
        x64quantprecision: hasIntegerDotProducts() ? "0" : "1",
      },
    },
  });
  const threadCount = countOf(intraOpNumThreads, "thread");
  const description = `onnx:cpu${isInt8 ? " int8" : ""}, ${threadCount}`;
  return engineOnSession(ort, session, graph, {
    name: "onnx:cpu",
    description,
    part: intraOpNumThreads === 1 ? 1 : PART[isInt8 ? "int8" : "fp32"],
    floor,
  });
}
