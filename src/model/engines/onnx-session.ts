// An engine around a session of ONNX Runtime, wherever that computes.
import type * as OnnxRuntime from "onnxruntime-node";
import { MultiboxError } from "../../errors.ts";
import { type Graph, inputShape, outputShapes, type Shape } from "../graph.ts";
import { Answer } from "./answer.ts";
import { KEPT } from "../compile/onnx-kept.ts";
import type { Engine, Floor, RawHeads } from "./engine.ts";
import { KeptAnswer } from "./kept-answer.ts";

export interface SessionOptions {
  /** `onnx:cpu` */
  readonly name: string;
  /** `onnx:cpu int8, 2 threads` */
  readonly description: string;
  /** Most pictures at once; larger batches are cut. */
  readonly part: number;
  /** That the model was compiled with. */
  readonly floor?: Floor | undefined;
}

/** The engine that answers with `graph` as `session` computes it. It owns the session. */
export function engineOnSession(
  ort: typeof OnnxRuntime,
  session: OnnxRuntime.InferenceSession,
  graph: Graph,
  { name, description, part: most, floor }: SessionOptions,
): Engine {
  const [, height, width] = inputShape(graph);
  const pictureBytes = height * width * 3;
  let input = new Uint8Array(0);
  const answer = floor ? keptBoxes(session, graph, floor) : allBoxes(ort, session, graph);
  let closed = false;
  let running: Promise<unknown> = Promise.resolve();

  /** The runtime takes no shared memory. */
  const unshared = (pictures: Uint8Array): Uint8Array => {
    if (!(pictures.buffer instanceof SharedArrayBuffer)) return pictures;
    if (input.length < pictures.length) input = new Uint8Array(pictures.length);
    input.set(pictures);
    return input.subarray(0, pictures.length);
  };

  /** Runs `n` pictures from picture `from` on. */
  const runPart = async (batch: Uint8Array, from: number, n: number): Promise<void> => {
    const pictures = unshared(batch.subarray(from * pictureBytes, (from + n) * pictureBytes));
    await answer.run({ pictures: new ort.Tensor("uint8", pictures, [n, height, width, 3]) }, from, n);
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
      return answer.heads(n);
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

/** How a session's answers come to the memory that they are given in. */
interface SessionAnswer {
  reserve(n: number): void;
  /** Runs `n` pictures, which are those from picture `from` on. */
  run(feeds: OnnxRuntime.InferenceSession.FeedsType, from: number, n: number): Promise<void>;
  heads(n: number): RawHeads;
}

/** Straight into their place. */
function allBoxes(ort: typeof OnnxRuntime, session: OnnxRuntime.InferenceSession, graph: Graph): SessionAnswer {
  const answer = new Answer(graph);
  const shapes = outputShapes(graph);
  return {
    reserve: (n) => answer.reserve(n),
    async run(feeds, from, n) {
      const output = (data: Float32Array, [, rows, columns]: Shape): OnnxRuntime.Tensor =>
        new ort.Tensor("float32", data, [n, rows, columns]);
      const { offsets, logits } = answer.part(from, n);
      await session.run(feeds, {
        [graph.offsets]: output(offsets, shapes.offsets),
        [graph.logits]: output(logits, shapes.logits),
      });
    },
    heads: (n) => answer.part(0, n),
  };
}

/**
 * Only what reaches the floor. The runtime copies all its outputs to new memory, also those that are given theirs: for SSDLite three
 * quarters of a megabyte a picture, a quarter of the time that int8 takes.
 */
function keptBoxes(session: OnnxRuntime.InferenceSession, graph: Graph, floor: Floor): SessionAnswer {
  const answer = new KeptAnswer(graph, floor);
  return {
    reserve: (n) => answer.reserve(n),
    async run(feeds, from) {
      const result = await session.run(feeds, Object.values(KEPT));
      answer.write({
        from,
        places: result[KEPT.places]!.data as BigInt64Array,
        offsets: result[KEPT.offsets]!.data as Float32Array,
        logits: result[KEPT.logits]!.data as Float32Array,
      });
    },
    heads: (n) => answer.heads(n),
  };
}
