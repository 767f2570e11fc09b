// A model for other labels: its class predictors get rows for these, and keep what they knew of labels that stay.
import { random } from "../model/random.ts";
import type { SsdSpec } from "../model/spec.ts";
import type { Tensor, Tensors } from "../model/weights/safetensors.ts";
import { mapLabels } from "./label-map.ts";

export interface Reheaded {
  readonly spec: SsdSpec;
  readonly weights: Tensors;
  /** Labels whose rows were kept, and those whose rows were drawn. */
  readonly known: readonly string[];
  readonly drawn: readonly string[];
}

/** What a sigmoid says of a class that nothing was learnt of, as a probability: about as rare as objects are among default boxes. */
const PRIOR = 0.01;

/**
 * The same network with a background and `labels` for classes. A label that the model knows, by its name or an alias, keeps its rows, as does
 * the background; one that `merge` makes of several that it knows has the mean of theirs. Others' are drawn as Glorot and Bengio's, with
 * biases of 0, or of a rare class where scores are sigmoids. The same seed draws the same.
 */
export function rehead(
  spec: SsdSpec,
  weights: Tensors,
  labels: readonly string[],
  seed: number,
  merge: Readonly<Record<string, readonly string[]>> = {},
): Reheaded {
  const categories = labels.map((name, i) => ({ id: i + 1, name }));
  const old = spec.labels.filter((label) => label !== null);
  const { categoryOf } = mapLabels(old, categories);
  /** The old columns that each new one is the mean of; none where it is drawn. */
  const columns: number[][] = [[0], ...labels.map(() => [])];
  // Of two old labels with one name the first is kept.
  for (const [label, { id }] of categoryOf)
    if (columns[id]!.length === 0) columns[id]!.push(spec.labels.indexOf(label));
  for (const [i, label] of labels.entries()) {
    const merged = (merge[label] ?? []).map((one) => ({ id: 0, name: one }));
    for (const known of mapLabels(old, merged).categoryOf.keys()) columns[i + 1]!.push(spec.labels.indexOf(known));
  }
  const next = random(seed);
  const made = [...weights].map(([name, tensor]): [string, Tensor] =>
    /^head\d+\.logits(\.project)?\.(weight|bias)$/.test(name)
      ? [name, moveRows(tensor, spec.labels.length, columns, name.endsWith(".bias"), spec.scores, next)]
      : [name, tensor],
  );
  return {
    spec: { ...spec, labels: [null, ...labels] },
    weights: new Map(made),
    known: labels.filter((_, i) => columns[i + 1]!.length > 0),
    drawn: labels.filter((_, i) => columns[i + 1]!.length === 0),
  };
}

/** Rows are boxes x classes. */
function moveRows(
  { shape: [rows, ...rest], data }: Tensor,
  classes: number,
  columns: readonly (readonly number[])[],
  isBias: boolean,
  scores: SsdSpec["scores"],
  next: () => number,
): Tensor {
  const boxes = rows! / classes;
  const size = data.length / rows!;
  const out = new Float32Array(boxes * columns.length * size);
  const pixels = rest.slice(1).reduce((product, side) => product * side, 1);
  const reach = Math.sqrt(6 / (size + boxes * columns.length * pixels));
  const bias = scores === "sigmoid" ? Math.log(PRIOR / (1 - PRIOR)) : 0;
  for (let box = 0; box < boxes; box++) {
    for (const [column, olds] of columns.entries()) {
      const to = (box * columns.length + column) * size;
      for (const old of olds) {
        const from = (box * classes + old) * size;
        for (let i = 0; i < size; i++) out[to + i]! += data[from + i]! / olds.length;
      }
      if (olds.length > 0) continue;
      if (isBias) out[to] = bias;
      else for (let i = 0; i < size; i++) out[to + i] = (next() * 2 - 1) * reach;
    }
  }
  return { shape: [boxes * columns.length, ...rest], data: out };
}
