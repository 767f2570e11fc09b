// What streams lose when another version of their model is brought into use.
import { countOf } from "../../count.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { missingLabels, missingSentences } from "../../pipeline/stream-labels.ts";
import type { ActivationImpact } from "./model-schemas.ts";
import type { ModelStore } from "./model-store.ts";
import { labelsOf } from "./named-model.ts";

export interface ImpactDeps {
  readonly store: ModelStore;
  readonly pipeline: Pick<Pipeline, "detector" | "list">;
  readonly defaultModel: string;
}

/** Fails with VERSION_UNKNOWN. Of a version whose labels are not known before it is opened nothing is said. */
export async function activationImpact(deps: ImpactDeps, name: string, version: number): Promise<ActivationImpact> {
  const { store, pipeline, defaultModel } = deps;
  const next = labelsOf(store, name, version);
  const running = await pipeline.detector(name === defaultModel ? undefined : name);
  const now = running?.info.labels ?? labelsOf(store, name, store.inUse(name).version);
  if (!next) return { lost: [], added: [], streams: [] };
  const streams = pipeline.list().flatMap(({ config }) => {
    if ((config.model ?? defaultModel) !== name) return [];
    const missing = missingLabels(config, next);
    if (!missing) return [];
    const labels = [...new Set([...missing.filter, ...missing.limits, ...missing.capture])];
    return [{ id: config.id, labels, blind: missing.isBlind, warnings: missingSentences(missing) }];
  });
  const without = (labels: readonly string[], others: readonly string[]): string[] => {
    const has = new Set(others);
    return labels.filter((label) => !has.has(label));
  };
  return { lost: now ? without(now, next) : [], added: now ? without(next, now) : [], streams };
}

/** Sentences about what is lost. */
export function impactWarnings({ lost, streams }: ActivationImpact): string[] {
  const sentences = streams.flatMap(({ id, warnings }) => warnings.map((warning) => `Stream "${id}": ${warning}`));
  if (lost.length === 0) return sentences;
  const count = countOf(lost.length, "label is", "labels are");
  return [`${count} not detected any more: ${lost.join(", ")}.`, ...sentences];
}
