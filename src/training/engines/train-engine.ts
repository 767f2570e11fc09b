// What computes the gradients of a network: the interface that every training engine implements.
import type { Tensors } from "../../model/weights/safetensors.ts";
import type { Loss, LossOptions } from "../loss.ts";
import type { PictureTargets } from "../match.ts";

/** A batch: what goes in, one array for each picture after another, and what should come out. */
export interface TrainBatch {
  /** `pictures`: uint8 RGB, height x width x 3 each. Or by name the features of a frozen base, as the plan's frontier has them. */
  readonly inputs: ReadonlyMap<string, Uint8Array | Float32Array>;
  readonly targets: readonly PictureTargets[];
}

/** Not thread-safe: one call at a time. */
export interface TrainEngine {
  /** `onnx:cpu, 2 threads` */
  readonly description: string;
  /** The weights that learn, by name. Whoever updates them writes into these. */
  readonly weights: Tensors;
  /**
   * The loss of a batch, and what it changes by with each of the weights, which is overwritten by the next call. Fails with
   * ENGINE_CLOSED after `close`.
   */
  gradients(batch: TrainBatch): Promise<{ readonly loss: Loss; readonly gradients: Tensors }>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface TrainEngineOptions {
  readonly given: "pictures" | "features";
  readonly loss: LossOptions;
  /** Threads that one run may use; 0 for one a core. */
  readonly threads: number;
  readonly cacheDir?: string | undefined;
}
