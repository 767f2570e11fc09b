// The form that starts a training, as the server's request: fields that were left as they are have the server's defaults.
import type { ModelInfo } from "../../models/model-schemas.ts";
import type { TrainingRequest } from "../../trainings/training-schemas.ts";
import { textOf } from "../new-stream.ts";

const NUMBERS = ["epochs", "minutes", "lr", "batch", "validationShare", "patience"] as const;
const CHOICES = ["splitBy", "nearIdentical"] as const;
const FOLDERS = ["data", "validation", "replay"] as const;

export function requestOf(form: Pick<FormData, "get">): TrainingRequest {
  const filled = (names: readonly string[]): [string, string][] =>
    names.map((name): [string, string] => [name, textOf(form, name)]).filter(([, text]) => text !== "");
  const numbers = filled(NUMBERS).map(([name, text]) => [name, Number(text)]);
  return {
    ...Object.fromEntries(filled(["from", "name", ...FOLDERS])),
    settings: {
      ...Object.fromEntries([...numbers, ...filled(CHOICES)]),
      labels: textOf(form, "labels") === "data" ? "data" : "all",
      freeze: textOf(form, "freeze") === "none" ? "none" : "base",
    },
  };
}

/** What a training can begin with: each name as it is in use, then its versions. */
export function beginnings(models: readonly ModelInfo[]): string[] {
  return models.flatMap(({ name, fetched, versions }) => [
    ...versions.map(({ version }) => `${name}@${version}`),
    ...(fetched ? [`${name}@0`] : []),
  ]);
}
