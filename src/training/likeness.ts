// What new labels are most like of those that a model knows, by what it finds where their objects are.
import type { Bundle } from "../model/bundle.ts";
import { createDetector } from "../model/detector.ts";
import { openOnnxCpu } from "../model/engines/onnx.ts";
import { reportedLabels } from "../model/labels.ts";
import { cocoMetrics } from "./coco-metrics.ts";
import { detectDataset } from "./detect-dataset.ts";
import { groupBy } from "./group-by.ts";
import { mapLabels } from "./label-map.ts";
import { seedOf, shuffled } from "./seeds.ts";
import type { Dataset } from "./truth.ts";

const BATCH = 8;
/** Pictures with objects of new labels that are looked at: they choose between labels, which takes no exact figures. */
const MOST_PICTURES = 300;
/** AP below which a label finds nothing of another one. */
const LEAST_AP = 0.01;

export interface LikenessOptions {
  /** Labels that are made of several: what the model knows of those is better. */
  readonly merge: ReadonlyMap<string, readonly string[]>;
  readonly threads: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * For each class of `data` that the model does not know, the label whose detections have the highest AP when they are taken for it: a group
 * of people is found as a person, a pick-up as a truck. Classes that no label finds are not in it. Fails with INTERRUPTED.
 */
export async function likenesses(
  bundle: Bundle,
  data: Dataset,
  { merge, threads, seed, signal }: LikenessOptions,
): Promise<ReadonlyMap<string, string>> {
  const labels = reportedLabels(bundle.spec.labels);
  const knows = (names: readonly string[]): boolean =>
    mapLabels(
      labels,
      names.map((name, id) => ({ id, name })),
    ).categoryOf.size > 0;
  const unknown = data.categories.filter(({ name }) => !knows([name, ...(merge.get(name) ?? [])]));
  const ids = new Set(unknown.map(({ id }) => id));
  const withThem = data.pictures.filter(({ objects }) => objects.some(({ categoryId }) => ids.has(categoryId)));
  if (withThem.length === 0) return new Map();
  const order = shuffled(withThem.length, seedOf(seed, withThem.length)).slice(0, MOST_PICTURES);
  const pictures = order.map((at) => withThem[at]!);
  const engine = await openOnnxCpu(bundle, { threads, precision: "fp32" });
  const detector = createDetector(bundle, { engine, reason: "it compares labels" }, { maxBatch: BATCH });
  try {
    const categoriesOf = new Map(labels.map((name, id) => [name, [{ id, name }]]));
    const { found } = await detectDataset(detector, pictures, { categoriesOf, signal });
    const byLabel = groupBy(found, ({ categoryId }) => categoryId);
    const truths = groupBy(
      pictures.flatMap(({ objects }) => objects),
      ({ categoryId }) => categoryId,
    );
    const likest = unknown.flatMap(({ id, name }) => {
      const best = { label: "", AP: LEAST_AP };
      for (const [at, label] of labels.entries()) {
        const taken = (byLabel.get(at) ?? []).map((one) => ({ ...one, categoryId: id }));
        const { AP } = cocoMetrics(truths.get(id) ?? [], taken, [id]).figures;
        if (AP > best.AP) Object.assign(best, { label, AP });
      }
      return best.label === "" ? [] : [[name, best.label] as const];
    });
    return new Map(likest);
  } finally {
    await detector.close();
  }
}
