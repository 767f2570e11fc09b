// What is asked before models and trainings are changed, and which of these is open.
import type { ModelInfo, ModelVersion } from "../../models/model-schemas.ts";
import type { TrainingInfo } from "../../trainings/training-schemas.ts";
import { percent } from "./model-words.ts";

export type Question =
  | { readonly what: "activate"; readonly name: string; readonly version: number; readonly facts?: ModelVersion }
  | { readonly what: "rollback"; readonly model: ModelInfo }
  | { readonly what: "remove"; readonly facts: ModelVersion }
  | { readonly what: "cancel" | "discard" | "forget"; readonly training: TrainingInfo };

export interface Asked {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly action: string;
  readonly doing: string;
  readonly keep: string;
  readonly danger: boolean;
}

const SWAP =
  "It is opened and warmed beside the one in use, then takes its place between two batches: no frame is lost. All streams that use this model change.";

/** `isLoss`: streams would lose labels by it. */
export function askedBy(question: Question, isLoss: boolean): Asked {
  switch (question.what) {
    case "activate": {
      const { name, version, facts } = question;
      const isDoubtful = facts?.offered === false;
      const [now, before] = [percent(facts?.metrics["AP"]), percent(facts?.parentMetrics?.["AP"])];
      const worse = `It is not better than what its training began with: AP ${now} instead of ${before} on the same images.`;
      const warning = facts?.verdict?.reason ?? worse;
      return {
        title: `Use version ${version} of ${name}?`,
        sentences: isDoubtful ? [warning, SWAP] : [SWAP],
        action: isDoubtful || isLoss ? "Activate all the same" : "Activate",
        doing: "Changing…",
        keep: "Leave as it is",
        danger: isDoubtful || isLoss,
      };
    }
    case "rollback": {
      const { name, inUse } = question.model;
      const title = `Back to version ${inUse.previous} of ${name}?`;
      const words = { action: "Go back", doing: "Changing…", keep: "Leave as it is" };
      return { title, sentences: [SWAP], ...words, danger: isLoss };
    }
    case "remove": {
      const { name, version } = question.facts;
      const sentences = ["Its weights and its report are deleted. Its number is not given again."];
      const title = `Delete version ${version} of ${name}?`;
      return { title, sentences, action: "Delete", doing: "Deleting…", keep: "Keep", danger: true };
    }
    case "cancel": {
      const title = `Cancel the training of ${question.training.name}?`;
      const sentences = ["Nothing of what it has learnt is kept."];
      return { title, sentences, action: "Cancel the training", doing: "Cancelling…", keep: "Go on", danger: true };
    }
    case "forget": {
      const { name, version } = question.training;
      const stays = version === undefined ? [] : [`Version ${version} of ${name}, which it has made, stays.`];
      const sentences = ["Its entry, with its losses and AP after each epoch, is deleted.", ...stays];
      const title = `Delete the training run of ${name}?`;
      return { title, sentences, action: "Delete", doing: "Deleting…", keep: "Keep", danger: true };
    }
    case "discard": {
      const title = `Delete the failed training of ${question.training.name}?`;
      const sentences = ["What it has learnt so far is deleted with it; it cannot be gone on with then."];
      return { title, sentences, action: "Delete", doing: "Deleting…", keep: "Keep", danger: true };
    }
  }
}
