// The model in the midst of a training: its weights, what the descent remembers, how far it is, and the best it has been.
import { MultiboxError } from "../errors.ts";
import type { Bundle } from "../model/bundle.ts";
import type { Tensor, Tensors } from "../model/weights/safetensors.ts";
import type { NamedBatch } from "./batches.ts";
import { blended, usualBlend } from "./blend.ts";
import type { Checkpoint, TrainState } from "./checkpoint.ts";
import type { TrainEngine } from "./engines/train-engine.ts";
import type { Figures } from "./evaluate.ts";
import { MovingAverage } from "./moving-average.ts";
import { rateAt } from "./schedule.ts";
import { Sgd } from "./sgd.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { EpochRecord, StepEvent } from "./train-events.ts";
import type { TrainSettings } from "./train-settings.ts";

export interface TraineeOptions {
  readonly start: StartingPoint;
  readonly engine: TrainEngine;
  readonly settings: TrainSettings;
  /** Of an epoch. */
  readonly steps: number;
  /** Where an interrupted training goes on. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Whether version 0.1.0 began it. */
  readonly isFormer?: boolean | undefined;
}

export class Trainee {
  readonly state: TrainState;
  readonly #options: TraineeOptions;
  readonly #sgd: Sgd;
  readonly #average: MovingAverage | undefined;
  #best: Tensors | undefined;

  constructor(options: TraineeOptions) {
    const { engine, settings, checkpoint } = options;
    this.#options = options;
    this.state = checkpoint?.state ?? { epoch: 0, step: 0, boxLoss: 0, classLoss: 0, seconds: 0, history: [] };
    for (const [name, { data }] of checkpoint?.tensors.weights ?? []) engine.weights.get(name)!.data.set(data);
    const { momentum, weightDecay, clip: clipNorm } = settings;
    this.#sgd = new Sgd(engine.weights, { momentum, weightDecay, clipNorm }, checkpoint?.tensors.velocities);
    if (settings.ema > 0) this.#average = new MovingAverage(engine.weights, settings.ema, checkpoint?.tensors.average);
    this.#best = checkpoint?.tensors.best;
  }

  /** Steps done, of all epochs. */
  get done(): number {
    return this.state.epoch * this.#options.steps + this.state.step;
  }

  /** How far the model goes from its start to what was learnt. */
  get blend(): number {
    const { settings, start, isFormer } = this.#options;
    return settings.blend ?? usualBlend(start, this.state.history[0]?.figures, isFormer);
  }

  /** Whether as many epochs as it has patience for were no better than one before. */
  get isTired(): boolean {
    const { patience } = this.#options.settings;
    const best = this.state.history.findLastIndex((record) => record.best);
    return patience > 0 && this.state.history.length - 1 - best >= patience;
  }

  /** Fails with TRAINING_DIVERGED where the loss or its gradient is no finite number; the weights are then those from before. */
  async step(batch: NamedBatch): Promise<Omit<StepEvent, "milliseconds">> {
    const { engine, settings, steps } = this.#options;
    const all = settings.epochs * steps;
    const lr = rateAt(this.done, all, settings);
    const { loss, gradients } = await engine.gradients(batch);
    const isFinite = Number.isFinite(loss.box + loss.class);
    const norm = isFinite ? this.#sgd.step(gradients, lr) : Number.NaN;
    if (!Number.isFinite(norm)) throw diverged(this.done + 1, loss.box + loss.class, batch.pictures);
    this.state.step += 1;
    this.state.boxLoss += loss.box;
    this.state.classLoss += loss.class;
    this.#average?.add(engine.weights, this.done);
    const { box: boxLoss, class: classLoss, matched } = loss;
    const epoch = this.state.epoch + 1;
    return { type: "step", epoch, step: this.done, steps: all, boxLoss, classLoss, matched, lr, norm };
  }

  /** As it is now: the moving average where there is one, and so far from the start as is asked. */
  now(): Bundle {
    const { start, engine } = this.#options;
    return this.#bundleOf(blended(start.bundle.weights, this.#average?.weights ?? engine.weights, this.blend));
  }

  /** As it was when it was best. */
  best(): Bundle {
    return this.#bundleOf(this.#best!);
  }

  /** Writes down how it was judged before the first step (epoch 0) or after an epoch, and begins the next one. */
  endEpoch(figures: Figures): EpochRecord {
    const { steps, settings } = this.#options;
    const { history, boxLoss, classLoss, seconds } = this.state;
    const epoch = history.length;
    const best = history.every((earlier) => earlier.figures["AP"]! < figures["AP"]!);
    const lr = epoch === 0 ? 0 : rateAt(epoch * steps - 1, settings.epochs * steps, settings);
    const losses = epoch === 0 ? [null, null] : [boxLoss / steps, classLoss / steps];
    const record = { epoch, boxLoss: losses[0]!, classLoss: losses[1]!, lr, seconds, figures: { ...figures }, best };
    history.push(record);
    if (best) this.#best = copyOf(this.now().weights, this.#options.engine.weights);
    Object.assign(this.state, { epoch, step: 0, boxLoss: 0, classLoss: 0, seconds: 0 });
    return record;
  }

  checkpoint(): Checkpoint {
    const { engine } = this.#options;
    const { velocities } = this.#sgd;
    const tensors = { weights: engine.weights, velocities, average: this.#average?.weights, best: this.#best };
    return { state: this.state, tensors };
  }

  #bundleOf(learnt: Tensors): Bundle {
    const { bundle } = this.#options.start;
    return {
      ...bundle,
      weights: new Map([...bundle.weights].map(([name, tensor]) => [name, learnt.get(name) ?? tensor])),
    };
  }
}

/** Copies of those tensors whose names are in `names`. */
function copyOf(tensors: Tensors, names: Tensors): Map<string, Tensor> {
  return new Map(
    [...names.keys()].map((name) => {
      const { shape, data } = tensors.get(name)!;
      return [name, { shape, data: data.slice() }];
    }),
  );
}

function diverged(step: number, loss: number, pictures: readonly string[]): MultiboxError {
  const what = Number.isFinite(loss) ? "the gradient is no finite number" : `the loss is ${loss}`;
  return new MultiboxError(
    "TRAINING_DIVERGED",
    `Step ${step}: ${what}. The batch's pictures: ${pictures.join(", ")}.`,
    "Lower the learning rate, or look at these pictures and their boxes.",
  );
}
