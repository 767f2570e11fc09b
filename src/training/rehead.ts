// A model for other labels: its class predictors get rows for these, and keep what they knew of labels that stay.
import { random } from "../model/random.ts";
import type { SsdSpec } from "../model/spec.ts";
import type { Tensor, Tensors } from "../model/weights/safetensors.ts";
import { mapLabels } from "./label-map.ts";

export interface Reheaded {
  readonly spec: SsdSpec;
  readonly weights: Tensors;
  /** Labels whose rows were kept, and those that are new, whose rows were copied or drawn. */
  readonly known: readonly string[];
  readonly added: readonly string[];
}

/** What a sigmoid says of a class that nothing was learnt of, as a probability: about as rare as objects are among default boxes. */
const PRIOR = 0.01;

/**
 * The same network with a background and `labels` for classes. A label that the model knows, by its name or an alias, keeps its rows, as does
 * the background. One that `merge` makes of several, or that has several rows already, keeps the rows of all as kinds of it: each has a
 * column of its own with that label. A new label in `like` begins with a copy of the rows that the model has for the label named there.
 * Others' are drawn as Glorot and Bengio's, with biases of 0, or of a rare class where scores are sigmoids. The same seed draws the same.
 */
export function rehead(
  spec: SsdSpec,
  weights: Tensors,
  labels: readonly string[],
  seed: number,
  merge: ReadonlyMap<string, readonly string[]> = new Map(),
  like: ReadonlyMap<string, string> = new Map(),
): Reheaded {
  const old = spec.labels.filter((label) => label !== null);
  const kindsOf = labels.map((label) => {
    const names = [label, ...(merge.get(label) ?? [])].map((name, id) => ({ id, name }));
    const { categoryOf } = mapLabels(old, names);
    return spec.labels.flatMap((one, column) => (one !== null && categoryOf.has(one) ? [column] : []));
  });
  /** The old column of each new one; -1 where there is none. */
  const columns = [
    0,
    ...kindsOf.flatMap((kinds, i) => (kinds.length > 0 ? kinds : [spec.labels.indexOf(like.get(labels[i]!) ?? "")])),
  ];
  const next = random(seed);
  const made = [...weights].map(([name, tensor]): [string, Tensor] =>
    /^head\d+\.logits(\.project)?\.(weight|bias)$/.test(name)
      ? [name, moveRows(tensor, spec.labels.length, columns, name.endsWith(".bias"), spec.scores, next)]
      : [name, tensor],
  );
  const repeated = labels.flatMap((label, i) => Array.from({ length: Math.max(1, kindsOf[i]!.length) }, () => label));
  return {
    spec: { ...spec, labels: [null, ...repeated] },
    weights: new Map(made),
    known: labels.filter((_, i) => kindsOf[i]!.length > 0),
    added: labels.filter((_, i) => kindsOf[i]!.length === 0),
  };
}

/** Rows are boxes x classes. */
function moveRows(
  { shape: [rows, ...rest], data }: Tensor,
  classes: number,
  columns: readonly number[],
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
    for (const [column, old] of columns.entries()) {
      const to = (box * columns.length + column) * size;
      const from = (box * classes + old) * size;
      if (old !== -1) out.set(data.subarray(from, from + size), to);
      else if (isBias) out[to] = bias;
      else for (let i = 0; i < size; i++) out[to + i] = (next() * 2 - 1) * reach;
    }
  }
  return { shape: [boxes * columns.length, ...rest], data: out };
}
