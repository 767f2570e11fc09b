// What runs a network: the interface that every engine implements, and what a caller may say about threads.
import type { Graph } from "../graph.ts";
import type { Tensors } from "../weights/safetensors.ts";

/** The network's answer for `n` pictures, flat: `n * boxes * 4` offsets (x, y, width, height) and `n * boxes * classes` logits. */
export interface RawHeads {
  readonly offsets: Float32Array;
  readonly logits: Float32Array;
}

/** A network that is ready to run. Not thread-safe: one `run` at a time. */
export interface Engine {
  /** `onnx:cpu, 2 threads`; `onnx:cpu int8, 2 threads` */
  readonly description: string;
  /**
   * `batch` holds at least `n` pictures, uint8 RGB, `height * width * 3` bytes each, and may lie in shared memory. The answer
   * may be overwritten by the next run. Fails with ENGINE_CLOSED after `close`.
   */
  run(batch: Uint8Array, n: number): Promise<RawHeads>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The least and greatest value that a node's output was seen to take, by the node's name. */
export type Ranges = ReadonlyMap<string, readonly [min: number, max: number]>;

/** A network with its weights. */
export interface Network {
  readonly graph: Graph;
  readonly weights: Tensors;
  /** What int8 needs to know; absent where the network was never observed. */
  readonly ranges?: Ranges | undefined;
}

/** fp32 or int8 arithmetic; auto: int8 where the CPU is made for it and the network has ranges. */
export type Precision = "auto" | "fp32" | "int8";

/**
 * Boxes that nobody will look at: those of whose logits none but the first, the background's, makes a score of `minScore`. Their logits
 * may be answered as -Infinity, and their offsets as anything.
 */
export interface Floor {
  /** Above 0. */
  readonly minScore: number;
  readonly scores: "sigmoid" | "softmax";
}

export interface EngineOptions {
  /** fp32 when absent. */
  readonly precision?: Precision | undefined;
  /** Threads that one run may use; 0 for one a core. */
  readonly threads: number;
  /** All boxes are answered when absent. */
  readonly floor?: Floor | undefined;
  /** Where `npm run tfjs:build` puts TensorFlow; the user's cache folder when absent. */
  readonly cacheDir?: string | undefined;
}
