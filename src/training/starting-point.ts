// What a training begins with: the parent under the labels that shall be learnt, and which of its layers learn.
import type { Bundle } from "../model/bundle.ts";
import { reportedLabels } from "../model/labels.ts";
import { buildSsd } from "../model/networks/ssd.ts";
import { planTraining, type TrainingPlan } from "./backward/plan.ts";
import { parseFreeze } from "./freeze.ts";
import { mapLabels } from "./label-map.ts";
import type { Target } from "./match.ts";
import { rehead } from "./rehead.ts";
import type { TrainSettings } from "./train-settings.ts";
import type { Category, DataPicture } from "./truth.ts";

export interface StartingPoint {
  /** Of the model that is made; its weights are those that the training begins with. */
  readonly bundle: Bundle;
  readonly plan: TrainingPlan;
  /** Labels that the parent knew, and those that are new to it. */
  readonly known: readonly string[];
  readonly added: readonly string[];
  /** The column of a category's logit. */
  readonly columnOf: ReadonlyMap<number, number>;
}

/** New labels in `like` begin as the parent's that are named there. Fails with LAYER_UNKNOWN or NOTHING_TO_LEARN. */
export function startingPoint(
  parent: Bundle,
  categories: readonly Category[],
  settings: TrainSettings,
  like: ReadonlyMap<string, string>,
): StartingPoint {
  const own = reportedLabels(parent.spec.labels);
  const names = categories.map(({ name }) => name);
  const { unknownToModel } = mapLabels(own, categories);
  const merged = new Set(Object.values(settings.merge).flat());
  const stay = own.filter((label) => !merged.has(label));
  const wanted = settings.labels === "all" ? [...stay, ...unknownToModel.map(({ name }) => name)] : names;
  const begun = sameLabels(own, wanted)
    ? { bundle: parent, known: wanted, added: [] }
    : reheaded(parent, wanted, settings, like);
  const { spec, graph } = begun.bundle;
  const { categoryOf } = mapLabels(
    spec.labels.filter((label) => label !== null),
    categories,
  );
  return {
    // Ranges that int8 needs are those of the parent's values.
    bundle: { ...begun.bundle, quantization: undefined, ranges: undefined },
    plan: planTraining(graph, parseFreeze(graph, settings.freeze)),
    known: begun.known,
    added: begun.added,
    columnOf: new Map([...categoryOf].map(([label, { id }]) => [id, spec.labels.indexOf(label)])),
  };
}

/** A picture's objects as training knows them: cut to the picture, in shares of its sides. */
export function targetsOf({ width, height, objects }: DataPicture, columnOf: ReadonlyMap<number, number>): Target[] {
  return objects.flatMap(({ bbox: [x, y, w, h], categoryId, crowd }) => {
    const cut = (value: number, side: number): number => Math.min(1, Math.max(0, value / side));
    const [left, right, top, bottom] = [cut(x, width), cut(x + w, width), cut(y, height), cut(y + h, height)];
    if (right <= left || bottom <= top) return [];
    const box = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top] as const;
    return [{ box, label: columnOf.get(categoryId)!, ignored: crowd }];
  });
}

function reheaded(
  parent: Bundle,
  labels: readonly string[],
  { seed, merge }: TrainSettings,
  like: ReadonlyMap<string, string>,
): Pick<StartingPoint, "bundle" | "known" | "added"> {
  const { spec, weights, known, added } = rehead(
    parent.spec,
    parent.weights,
    labels,
    seed,
    new Map(Object.entries(merge)),
    like,
  );
  return { bundle: { ...parent, spec, weights, graph: buildSsd(spec) }, known, added };
}

function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, i) => label === b[i]);
}
