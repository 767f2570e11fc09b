// Takes tensors out of a file that someone else wrote, and says in one sentence what is wrong with one that does not fit.
import { MultiboxError } from "../../errors.ts";
import { elementCount, type Tensor, type Tensors } from "./safetensors.ts";

/** Tensors, where they come from and what for. */
export interface Source {
  readonly tensors: Tensors;
  /** For messages. */
  readonly file: string;
  /** The name of the spec that they are wanted for. */
  readonly spec: string;
}

/**
 * The tensor of a name, of exactly this shape and without NaN or Infinity. Fails with WEIGHTS_MISSING, WEIGHTS_MISFIT or
 * WEIGHTS_NOT_FINITE.
 */
export function take({ tensors, file, spec }: Source, name: string, shape: readonly number[]): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new MultiboxError(
      "WEIGHTS_MISSING",
      `${file} has no tensor ${name}, which ${spec} needs (${sizes(shape)}).`,
      "Choose the spec that the file was made for, or another file.",
    );
  }
  if (tensor.shape.join() !== shape.join()) {
    throw new MultiboxError(
      "WEIGHTS_MISFIT",
      `${name} in ${file} is ${sizes(tensor.shape)}, and ${spec} wants ${sizes(shape)}.`,
      "Choose the spec that the file was made for: its classes, boxes and layers must be the same.",
    );
  }
  const count = elementCount(shape);
  if (tensor.data.length !== count) {
    throw new MultiboxError(
      "WEIGHTS_MISFIT",
      `${name} in ${file} has ${tensor.data.length} numbers, and its shape ${sizes(shape)} wants ${count}.`,
      "The file is damaged; fetch it again.",
    );
  }
  const odd = firstOdd(tensor.data);
  if (odd !== -1) {
    throw new MultiboxError(
      "WEIGHTS_NOT_FINITE",
      `${name} in ${file} has ${tensor.data[odd]} as its number ${odd}.`,
      "The file is damaged, or its training failed; take an earlier one.",
    );
  }
  return tensor;
}

/** A plain loop, which takes a fraction of findIndex's time over millions of values. */
function firstOdd(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function sizes(shape: readonly number[]): string {
  return shape.length === 0 ? "a single number" : shape.join("x");
}
