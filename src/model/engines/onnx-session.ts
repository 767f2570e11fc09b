// An engine around a session of ONNX Runtime, wherever that computes.
import type * as OnnxRuntime from "onnxruntime-node";
import { MultiboxError } from "../../errors.ts";
import { type Graph, inputShape, outputShapes, type Shape } from "../graph.ts";
import { Answer } from "./answer.ts";
import type { Engine } from "./engine.ts";

export interface SessionOptions {
  /** `onnx:cpu` */
  readonly name: string;
  /** `onnx:cpu int8, 2 threads` */
  readonly description: string;
  /** Most pictures at once; larger batches are cut. */
  readonly part: number;
}

/** The engine that answers with `graph` as `session` computes it. It owns the session. */
export function engineOnSession(
  ort: typeof OnnxRuntime,
  session: OnnxRuntime.InferenceSession,
  graph: Graph,
  { name, description, part: most }: SessionOptions,
): Engine {
  const [, height, width] = inputShape(graph);
  const pictureBytes = height * width * 3;
  const shapes = outputShapes(graph);
  let input = new Uint8Array(0);
  const answer = new Answer(graph);
  let closed = false;
  let running: Promise<unknown> = Promise.resolve();

  /** The runtime takes no shared memory. */
  const unshared = (pictures: Uint8Array): Uint8Array => {
    if (!(pictures.buffer instanceof SharedArrayBuffer)) return pictures;
    if (input.length < pictures.length) input = new Uint8Array(pictures.length);
    input.set(pictures);
    return input.subarray(0, pictures.length);
  };

  /** Runs `n` pictures from picture `from` on, straight into their place in the answer. */
  const runPart = async (batch: Uint8Array, from: number, n: number): Promise<void> => {
    const output = (data: Float32Array, [, rows, columns]: Shape): OnnxRuntime.Tensor =>
      new ort.Tensor("float32", data, [n, rows, columns]);
    const { offsets, logits } = answer.part(from, n);
    const pictures = unshared(batch.subarray(from * pictureBytes, (from + n) * pictureBytes));
    await session.run(
      { pictures: new ort.Tensor("uint8", pictures, [n, height, width, 3]) },
      { [graph.offsets]: output(offsets, shapes.offsets), [graph.logits]: output(logits, shapes.logits) },
    );
  };

  const failWhereClosed = (): void => {
    if (closed) throw new MultiboxError("ENGINE_CLOSED", `The engine ${name} was asked to run after it was closed.`);
  };

  return {
    description,
    async run(batch, n) {
      failWhereClosed();
      answer.reserve(n);
      const parts = (async (): Promise<void> => {
        for (let from = 0; from < n; from += most) {
          // Who closes need not wait for a whole batch, which is seconds of SSD512.
          failWhereClosed();
          await runPart(batch, from, Math.min(most, n - from));
        }
      })();
      running = parts.catch(() => undefined);
      await parts;
      return answer.part(0, n);
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
