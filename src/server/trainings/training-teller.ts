// What a training's process tells, as the server tells it on: often enough to be watched, seldom enough not to be a burden.
import type { EpochRecord, StepEvent, TrainProgress } from "../../training/train-events.ts";
import type { TrainingRecord } from "./training-record.ts";
import type { TrainingProgress } from "./training-schemas.ts";

export interface TellerOptions {
  /** Of the epochs before a restart. */
  readonly history: readonly EpochRecord[];
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly onChange: (change: Partial<TrainingRecord>) => void;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: () => number;
}

const LEAST_MS = 1000;
/** Weight of the newest step in what a step takes. */
const NEWEST = 0.1;

export class TrainingTeller {
  readonly #options: TellerOptions;
  readonly #now: () => number;
  readonly #begun: number;
  #history: readonly EpochRecord[];
  #progress: Omit<TrainingProgress, "seconds"> = { phase: "starting" };
  #told = -Infinity;

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#history = options.history;
    this.#now = options.now ?? (() => performance.now());
    this.#begun = this.#now();
  }

  tell(event: TrainProgress): void {
    const { onChange } = this.#options;
    switch (event.type) {
      case "look":
        this.#set({ phase: "looking", pictures: { done: event.done, total: event.total } });
        break;
      case "start": {
        const { engine, training, validation, split, labels, warnings, epochs, steps, resumed } = event;
        const data = { pictures: { training, validation }, ...(split && { split }) };
        onChange({ engine, ...data, labels, ...(warnings.length > 0 && { warnings }) });
        const epoch = Math.min(epochs, Math.floor(resumed / steps) + Number(resumed > 0));
        this.#set({ phase: "training", epoch, epochs, step: resumed, steps: epochs * steps }, true);
        break;
      }
      case "parent":
        onChange({ parentMetrics: event.figures });
        break;
      case "step":
        this.#step(event);
        break;
      case "epoch": {
        const { type: _type, epochs: _epochs, ...epoch } = event;
        // After a kill the epochs since the last checkpoint are told again.
        this.#history = [...this.#history.filter((one) => one.epoch < epoch.epoch), epoch];
        const best = this.#history.findLast((one) => one.best)!;
        onChange({ history: [...this.#history], metrics: best.figures, bestEpoch: best.epoch });
        break;
      }
      case "checkpoint":
    }
  }

  #step({ epoch, step, steps, boxLoss, classLoss, lr, milliseconds }: StepEvent): void {
    const before = this.#progress.stepMs ?? milliseconds;
    const stepMs = before + NEWEST * (milliseconds - before);
    const secondsLeft = Math.round(((steps - step) * stepMs) / 1000);
    const { epochs } = this.#progress;
    this.#set({ phase: "training", epoch, epochs, step, steps, boxLoss, classLoss, lr, stepMs, secondsLeft });
  }

  #set(progress: Omit<TrainingProgress, "seconds">, now = false): void {
    const isNew = progress.phase !== this.#progress.phase;
    this.#progress = progress;
    const time = this.#now();
    if (!isNew && !now && time - this.#told < LEAST_MS) return;
    this.#told = time;
    this.#options.onProgress({ ...progress, seconds: Math.round((time - this.#begun) / 1000) });
  }
}
