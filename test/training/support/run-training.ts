// Trainings of a few steps, in this process.
import { openDataset } from "../../../src/training/dataset.ts";
import { train, type TrainOptions, type TrainResult } from "../../../src/training/train.ts";
import type { TrainProgress } from "../../../src/training/train-events.ts";
import { TrainSettings } from "../../../src/training/train-settings.ts";
import { SHAPES } from "./drawn-shapes.ts";
import { tinySsd } from "./tiny-ssd.ts";

export interface Training extends Partial<Omit<TrainOptions, "settings">> {
  /** The data set's. */
  readonly data: string;
  /** The run's. */
  readonly folder: string;
  readonly settings?: Partial<TrainSettings>;
  readonly onEvent?: (event: TrainProgress) => void;
}

/** Trains to the end: a tiny SSD that knows drawn shapes, two epochs of small batches, unless something else is said. */
export async function runTraining({ data, folder, settings, onEvent, ...options }: Training): Promise<TrainResult> {
  const events = train({
    given: { data: await openDataset({ folder: data }) },
    parent: tinySsd(SHAPES, 1),
    parentName: "tiny",
    settings: TrainSettings.parse({ epochs: 2, batch: 4, lr: 1e-4, threads: 1, variants: 2, ...settings }),
    folder,
    resume: false,
    checkpointSeconds: 1e6,
    ...options,
  });
  for await (const event of events) {
    if (event.type === "done") return event;
    onEvent?.(event);
  }
  throw new Error("The training ended without a result.");
}
