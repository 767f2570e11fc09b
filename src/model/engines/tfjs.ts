// The engines on TensorFlow.js: TensorFlow itself on a GPU or a CPU, and WebAssembly.
import { availableParallelism } from "node:os";
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import { compileTfjs, type Tfjs } from "../compile/tfjs.ts";
import { inputShape } from "../graph.ts";
import type { Engine, EngineOptions, Network } from "./engine.ts";
import { Answer } from "./answer.ts";
import { refuseInt8 } from "./precision.ts";
import { setTensorFlowVariables } from "./prepare.ts";
import { loadTensorFlow, loadWasm } from "./tfjs-load.ts";

// TensorFlow is quicker with larger batches, but VGG16's first feature maps take 50 MB a picture. WebAssembly gains nothing.
const [TENSORFLOW_PART, WASM_PART] = [8, 1];

/** Opens `tfjs:gpu`. Fails with ENGINE_MISSING where TensorFlow is not installed or uses no GPU: it would fall back silently. */
export async function openTfjsGpu(network: Network, options: EngineOptions): Promise<Engine> {
  refuseInt8("tfjs:gpu", options);
  setTensorFlowVariables("tfjs:gpu", options);
  const { tf, usesGpu } = loadTensorFlow(options.cacheDir);
  if (!usesGpu) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      "TensorFlow found no GPU that it can use, so there is no engine tfjs:gpu.",
      "It needs an NVIDIA GPU, its driver, and CUDA libraries of the versions that this TensorFlow was built for: " +
        "for a GPU of today `npm run tfjs:build -- --tensorflow 'tensorflow[and-cuda]'` brings them.",
    );
  }
  return openTfjs("tfjs:gpu", tf, network, { threads: 1, part: Infinity });
}

/**
 * Opens `tfjs:cpu`. All TensorFlow of a process shares one pool of threads, as large as the first engine asked for; `threads` says
 * how large that is. Fails with ENGINE_MISSING where TensorFlow is not installed, or already has this process's GPU.
 */
export async function openTfjsCpu(network: Network, options: EngineOptions): Promise<Engine> {
  refuseInt8("tfjs:cpu", options);
  setTensorFlowVariables("tfjs:cpu", options);
  const { tf, usesGpu } = loadTensorFlow(options.cacheDir);
  if (usesGpu) {
    throw new MultiboxError(
      "ENGINE_MISSING",
      "TensorFlow uses the GPU in this process, so there is no engine tfjs:cpu.",
      "Use tfjs:gpu, or set CUDA_VISIBLE_DEVICES=-1 in the environment.",
    );
  }
  const threads = Number(process.env["TF_NUM_INTRAOP_THREADS"]) || availableParallelism();
  return openTfjs("tfjs:cpu", tf, network, { threads, part: TENSORFLOW_PART });
}

/** Opens `tfjs:wasm`, which has one thread in Node.js. Fails with ENGINE_MISSING where the package is not installed. */
export async function openTfjsWasm(network: Network, options: EngineOptions): Promise<Engine> {
  refuseInt8("tfjs:wasm", options);
  return openTfjs("tfjs:wasm", loadWasm(), network, { threads: 1, part: WASM_PART });
}

interface TfjsOptions {
  readonly threads: number;
  /** Most pictures at once. */
  readonly part: number;
}

async function openTfjs(
  name: "tfjs:gpu" | "tfjs:cpu" | "tfjs:wasm",
  tf: Tfjs,
  { graph, weights }: Network,
  { threads, part }: TfjsOptions,
): Promise<Engine> {
  const backend = name === "tfjs:wasm" ? "wasm" : "tensorflow";
  // Another engine of this thread may have chosen another backend. Nothing is awaited between this and the work.
  const choose = async (): Promise<void> => {
    while (tf.getBackend() !== backend) await tf.setBackend(backend);
  };
  await choose();
  const compiled = compileTfjs(tf, graph, weights);
  const [, height, width] = inputShape(graph);
  const pictureBytes = height * width * 3;
  let pictures = new Float32Array(0);
  const answer = new Answer(graph);
  let closed = false;

  /** Runs `n` pictures from picture `from` on, into their place in the answer. */
  const runPart = (batch: Uint8Array, from: number, n: number): void => {
    pictures.set(batch.subarray(from * pictureBytes, (from + n) * pictureBytes));
    const heads = tf.tidy(() =>
      compiled.run(tf.tensor4d(pictures.subarray(0, n * pictureBytes), [n, height, width, 3])),
    );
    const { offsets, logits } = answer.part(from, n);
    offsets.set(heads.offsets.dataSync<"float32">());
    logits.set(heads.logits.dataSync<"float32">());
    tf.dispose([heads.offsets, heads.logits]);
  };

  return {
    description: `${name}, ${countOf(threads, "thread")}`,
    async run(batch, n) {
      await choose();
      if (closed) throw new MultiboxError("ENGINE_CLOSED", `The engine ${name} was asked to run after it was closed.`);
      const most = Math.min(n, part);
      if (pictures.length < most * pictureBytes) pictures = new Float32Array(most * pictureBytes);
      answer.reserve(n);
      for (let from = 0; from < n; from += most) runPart(batch, from, Math.min(most, n - from));
      return answer.part(0, n);
    },
    async close() {
      if (!closed) compiled.dispose();
      closed = true;
    },
  };
}
