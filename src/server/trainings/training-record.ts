// A training as it is kept in multibox.db.
import { z } from "zod";
import { EpochRecord } from "../../training/train-events.ts";
import { ServerTrainSettings, trainingFacts } from "./training-schemas.ts";

const Milliseconds = z.number().describe("Since the epoch.");

export const TrainingRecord = z.object({
  ...trainingFacts,
  settings: ServerTrainSettings,
  created: Milliseconds,
  started: Milliseconds.optional(),
  ended: Milliseconds.optional(),
  history: z.array(EpochRecord),
});
export type TrainingRecord = z.infer<typeof TrainingRecord>;
