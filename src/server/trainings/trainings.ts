// All trainings, as work that is done in the background.
import { countOf } from "../../count.ts";
import { MultiboxError } from "../../errors.ts";
import { BackgroundWork } from "../background/background-work.ts";
import { type Work, type WorkOptions, workTimes } from "../background/work-kind.ts";
import type { TrainingEvent } from "../protocol.ts";
import { RecordStore } from "../background/record-store.ts";
import type { Store } from "../database/store.ts";
import { TrainingRecord } from "./training-record.ts";
import type { TrainingDetail, TrainingInfo, TrainingProgress } from "./training-schemas.ts";

/** What is known of a training when its data are there. */
export type NewTrainingRecord = Pick<
  TrainingRecord,
  "name" | "from" | "captures" | "data" | "validation" | "replay" | "settings"
>;

export type TrainingWork = Work<TrainingRecord, TrainingProgress>;

export type TrainingRunner = (work: TrainingWork) => Promise<Partial<TrainingRecord>>;

export interface TrainingsOptions extends WorkOptions {
  readonly store: Store;
  readonly run: TrainingRunner;
}

/** In a training's folder: the captures that it learns from, as they were when it was asked for. */
export const CAPTURES = "captures";

export class Trainings extends BackgroundWork<TrainingRecord, TrainingProgress, TrainingInfo, TrainingEvent> {
  constructor({ store, run, ...options }: TrainingsOptions) {
    super(options, {
      name: "training",
      input: CAPTURES,
      resumable: true,
      store: new RecordStore(store, "trainings", TrainingRecord),
      run,
      // What it has made is a version of a model by then; of one that has failed all is kept.
      finish: () => Promise.resolve({ change: {}, keep: false }),
      info,
      event: (id, training) => ({ type: "training", id, ...(training && { training }) }),
      fields: ({ name, from }) => ({ model: name, from }),
      unknown: (id) => {
        const hint = "GET /v1/trainings lists those that there are.";
        return new MultiboxError("TRAINING_UNKNOWN", `There is no training "${id}".`, hint);
      },
      full: (count) => {
        const sentence = `There ${count === 1 ? "is" : "are"} ${countOf(count, "training run")}, ${count === 1 ? "not" : "none of them"} finished, and no more are taken.`;
        return new MultiboxError("TRAININGS_FULL", sentence, "Wait, cancel some, or raise trainingMaxCount.");
      },
    });
  }

  /** `receive` puts into the folder that it is given what is to be learnt from. Fails as `take` does, with TRAININGS_FULL where there are too many. */
  create(receive: (folder: string) => Promise<NewTrainingRecord>): Promise<TrainingInfo> {
    return this.take(async (folder, base) => ({ ...base, history: [], ...(await receive(folder)) }));
  }

  /** Goes on with one that has failed, from its last checkpoint. TRAINING_UNKNOWN, TRAINING_NOT_RESUMABLE. */
  resume(id: string): Promise<TrainingInfo> {
    return this.goOn(id, ({ state }) => {
      const sentence = `The training "${id}" is ${state}, and only one that has failed can be gone on with.`;
      return new MultiboxError("TRAINING_NOT_RESUMABLE", sentence, "Start another one.");
    });
  }

  /** With what each epoch came to. TRAINING_UNKNOWN. */
  detail(id: string): TrainingDetail {
    return { ...this.get(id), history: this.record(id).history };
  }
}

function info(record: TrainingRecord, progress: TrainingProgress = { phase: "starting", seconds: 0 }): TrainingInfo {
  const { history: _history, ...told } = record;
  return { ...told, ...workTimes(record), ...(record.state === "running" && { progress }) } as TrainingInfo;
}
