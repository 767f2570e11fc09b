// The way of a few pictures through the network and back on ONNX Runtime, in memory that is had once.
import type * as OnnxRuntime from "onnxruntime-node";
import { elementCount, type Tensors } from "../../model/weights/safetensors.ts";
import { gradientName } from "../backward/node-gradients.ts";
import type { TrainingPlan } from "../backward/plan.ts";
import { backwardModel, forwardModel, type Given, type TrainingModel } from "../backward/training-models.ts";
import { type Heads, type Loss, type LossOptions, ssdLoss } from "../loss.ts";
import type { TrainBatch } from "./train-engine.ts";

type Values = Record<string, OnnxRuntime.Tensor>;

export interface WayOptions {
  readonly ort: typeof OnnxRuntime;
  readonly session: OnnxRuntime.InferenceSession.SessionOptions;
  readonly plan: TrainingPlan;
  /** All of the network's, of which the frozen ones are used. */
  readonly initial: Tensors;
  /** Those that learn: what is in them when a batch runs counts. */
  readonly weights: Tensors;
  /** Where the gradients towards these are written. */
  readonly results: Tensors;
  readonly given: Given;
  readonly loss: LossOptions;
  /** Of maps in blocks (`channelBlock`). */
  readonly block: number;
}

/** For batches of one size. The memory is shared with the sessions, which read it without copies. */
export class OnnxWay {
  readonly #options: WayOptions;
  readonly #pictures: number;
  readonly #models: { readonly forward: TrainingModel; readonly backward: TrainingModel };
  readonly #forward: OnnxRuntime.InferenceSession;
  readonly #backward: OnnxRuntime.InferenceSession;
  readonly #tensors = new Map<string, OnnxRuntime.Tensor>();
  readonly #heads: Heads<Float32Array>;
  readonly #gradient: Heads<Float32Array>;

  static async open(options: WayOptions, pictures: number): Promise<OnnxWay> {
    const { ort, session, plan, initial, given, block } = options;
    const way = forwardModel(plan, initial, given, pictures, block);
    const models = { forward: way, backward: backwardModel(plan, initial, way, pictures, { block }) };
    const forward = await ort.InferenceSession.create(models.forward.bytes, session);
    const backward = await ort.InferenceSession.create(models.backward.bytes, session);
    return new OnnxWay(options, pictures, models, forward, backward);
  }

  private constructor(
    options: WayOptions,
    pictures: number,
    models: { readonly forward: TrainingModel; readonly backward: TrainingModel },
    forward: OnnxRuntime.InferenceSession,
    backward: OnnxRuntime.InferenceSession,
  ) {
    this.#options = options;
    this.#pictures = pictures;
    this.#models = models;
    this.#forward = forward;
    this.#backward = backward;
    const { plan, weights, results } = options;
    for (const [name, { shape, data }] of weights) this.#set(name, shape, data);
    for (const [name, { shape, data }] of results) this.#set(gradientName(name), shape, data);
    for (const [name, shape] of models.forward.outputs) this.#set(name, shape, new Float32Array(elementCount(shape)));
    const answer = (name: string): Float32Array => this.#tensors.get(name)!.data as Float32Array;
    this.#heads = { offsets: answer(plan.graph.offsets), logits: answer(plan.graph.logits) };
    this.#gradient = { offsets: this.#heads.offsets.slice(), logits: this.#heads.logits.slice() };
    const { offsets, logits } = plan.graph;
    this.#set(gradientName(offsets), this.#tensors.get(offsets)!.dims, this.#gradient.offsets);
    this.#set(gradientName(logits), this.#tensors.get(logits)!.dims, this.#gradient.logits);
  }

  /** Runs the pictures from picture `from` of a batch on, in which `matched` boxes have an object. */
  async run({ inputs, targets }: TrainBatch, from: number, matched: number): Promise<Loss> {
    const { ort, loss } = this.#options;
    for (const [name, shape] of this.#models.forward.inputs) {
      const all = inputs.get(name);
      if (!all) continue;
      const each = elementCount(shape) / this.#pictures;
      const data = all.subarray(from * each, (from + this.#pictures) * each);
      if (data instanceof Uint8Array) this.#tensors.set(name, new ort.Tensor("uint8", data, shape));
      else this.#set(name, shape, data);
    }
    const { forward, backward } = this.#models;
    await this.#forward.run(this.#pick(forward.inputs), this.#pick(forward.outputs));
    const own = targets.slice(from, from + this.#pictures);
    const result = ssdLoss(this.#heads, own, this.#gradient, loss, matched);
    await this.#backward.run(this.#pick(backward.inputs), this.#pick(backward.outputs));
    return result;
  }

  async close(): Promise<void> {
    await this.#forward.release();
    await this.#backward.release();
  }

  #set(name: string, shape: readonly number[], data: Float32Array): void {
    this.#tensors.set(name, new this.#options.ort.Tensor("float32", data, shape));
  }

  #pick(names: ReadonlyMap<string, unknown>): Values {
    return Object.fromEntries([...names.keys()].map((name) => [name, this.#tensors.get(name)!]));
  }
}
