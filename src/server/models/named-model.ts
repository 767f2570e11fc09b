// Models as clients name them: which version a name means now, which labels that has, and how `--model` names it to a child process.
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { MultiboxError } from "../../errors.ts";
import { reportedLabels } from "../../model/labels.ts";
import { ZOO } from "../../model/zoo.ts";
import type { ModelStore } from "./model-store.ts";

/** A name, which means its version in use, or `name@version`. */
export const ModelReference = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(@\d{1,9})?$/, "must be the name of a model, or name@version");

export interface NamedModels {
  readonly store: ModelStore;
  /** The server's own: a name, or a folder. */
  readonly defaultModel: string;
  /** Names that multibox can fetch. */
  readonly fetchable: readonly string[];
}

/** `name@version` with the version in use where none is named, or the folder of the server's own model. Fails with MODEL_UNKNOWN or VERSION_UNKNOWN. */
export function resolveModel(asked: string | undefined, { store, defaultModel, fetchable }: NamedModels): string {
  const model = asked ?? defaultModel;
  const [, name = model, number] = /^([^@]+)@(\d+)$/.exec(model) ?? [];
  const version = number === undefined ? store.inUse(name).version : Number(number);
  if (version > 0) return `${name}@${store.version(name, version).version}`;
  if (fetchable.includes(name)) return `${name}@0`;
  if (name === defaultModel) return isAbsolute(name) || !/[/\\]/.test(name) ? name : resolve(name);
  if (store.versions(name).length > 0) store.version(name, version);
  const known = [...new Set([...fetchable, ...store.names()])].join(", ");
  throw new MultiboxError("MODEL_UNKNOWN", `There is no model "${name}".`, `There are: ${known}.`);
}

/** What `--model` names a resolved model by: the folder of a version. Fails with VERSION_UNKNOWN. */
export function modelArgument(resolved: string, store: ModelStore): string {
  return store.resolve(resolved) ?? resolved.replace(/@0$/, "");
}

/** Of a version, 0 for the one that is fetched; undefined where they are not known before it is opened. Fails with VERSION_UNKNOWN. */
export function labelsOf(store: ModelStore, name: string, version: number): readonly string[] | undefined {
  if (version !== 0) return store.version(name, version).labels;
  const fetched = ZOO.find(({ spec }) => spec.name === name);
  return fetched && reportedLabels(fetched.spec.labels);
}
