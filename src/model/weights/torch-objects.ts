// What a pickle of PyTorch is made of besides containers: storages of numbers, and tensors that look at them.
import { type PickleCall, type PickleRoom, unreadable } from "./pickle-machine.ts";
import { type NumberFormat, numberFormat } from "./number-formats.ts";
import { elementCount, type Tensor } from "./safetensors.ts";

/** Numbers that lie in the file under a key. */
export class Storage {
  readonly format: NumberFormat;
  readonly key: string;
  readonly elements: number;

  constructor(format: NumberFormat, key: string, elements: number) {
    this.format = format;
    this.key = key;
    this.elements = elements;
  }
}

/** A view of a storage: element [i, j, ...] is its number `offset + i * strides[0] + j * strides[1] + ...`. */
export class View {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Everything that a file of tensors may name (`torch/_utils.py`, `torch/serialization.py`), and nothing else. */
export function torchRoom(file: string): PickleRoom {
  const fail = (why: string): never => {
    throw unreadable(file, why);
  };
  const rebuildTensor: PickleCall = ([storage, offset, shape, strides]) => {
    if (!(storage instanceof Storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
      return fail("a tensor has no numbers, shape or strides");
    const elements = elementCount(shape);
    const last = shape.reduce((at, size, i) => at + (size - 1) * (strides[i] ?? Infinity), offset);
    if (elements > 0 && (last >= storage.elements || elements > storage.elements))
      return fail(`a tensor of ${shape.join("x")} does not fit its ${storage.elements} numbers`);
    // A pickle can still reach these lists, and must not change what was checked.
    return new View(storage, offset, Object.freeze(shape), Object.freeze(strides));
  };
  const persistent = (id: unknown): unknown => {
    const [kind, format, key, , elements] = Array.isArray(id) ? (id as unknown[]) : [];
    const known = typeof format === "string" && numberFormat(format);
    if (kind !== "storage" || !known || typeof key !== "string" || !isCount(elements))
      return fail("it refers to what is no storage of numbers");
    return new Storage(known, key, elements);
  };
  let copied = 0;
  const orderedDict: PickleCall = ([items = []]) => {
    if (!Array.isArray(items) || !items.every((item) => Array.isArray(item)))
      return fail("it has a dictionary without keys and values");
    // Copies are the only way in which a few bytes of a pickle could take much memory.
    if ((copied += items.length) > MAX_COPIED) return fail("it has too many dictionaries");
    return new Map(items as unknown as [unknown, unknown][]);
  };
  const globals = new Map<string, unknown>([
    ["torch._utils._rebuild_tensor_v2", rebuildTensor],
    // torch.nn.Parameter: a tensor that is trained.
    ["torch._utils._rebuild_parameter", ([tensor]: readonly unknown[]): unknown => tensor],
    ["collections.OrderedDict", orderedDict],
    ...FORMATS.map(([name, format]): [string, unknown] => [`torch.${name}Storage`, format]),
  ]);
  return { file, globals, persistent };
}

/** A tensor of a view, given all numbers of its storage. */
export function gather({ shape, strides, offset }: View, numbers: Float32Array): Tensor {
  const count = elementCount(shape);
  if (isContiguous(shape, strides)) return { shape, data: numbers.slice(offset, offset + count) };
  const data = new Float32Array(count);
  const index = shape.map(() => 0);
  let from = offset;
  for (let at = 0; at < data.length; at++) {
    data[at] = numbers[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

const MAX_COPIED = 2 ** 20;

const FORMATS: readonly (readonly [string, NumberFormat])[] = [
  ["Double", "F64"],
  ["Float", "F32"],
  ["Half", "F16"],
  ["BFloat16", "BF16"],
  ["Long", "I64"],
  ["Int", "I32"],
  ["Short", "I16"],
  ["Char", "I8"],
  ["Byte", "U8"],
  ["Bool", "BOOL"],
];

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** PyTorch has at most 64 dimensions. */
function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}

/** Whether the last axis is the densest and there are no gaps. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let dense = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== dense) return false;
    dense *= shape[axis]!;
  }
  return true;
}
