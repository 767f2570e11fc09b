// Files of PyTorch, read without Python: views of storages, wrappers, both formats, and every way in which one can be broken.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tensors } from "../../../src/model/weights/safetensors.ts";
import { readTorch } from "../../../src/model/weights/torch-file.ts";
import {
  call,
  dict,
  global,
  integer,
  list,
  pickle,
  PROTOCOL_2,
  STOP,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
  zip,
} from "../support/pickles.ts";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-torch-"));
  file = join(folder, "weights.pth");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(bytes: Uint8Array): Promise<Tensors> {
  await writeFile(file, bytes);
  return readTorch(file);
}

const saved = (value: Uint8Array): Buffer => pickle(PROTOCOL_2, value, STOP);
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const SIX = floats(0, 1, 2, 3, 4, 5);
const STATE = dict({ a: tensor(storage("0", 6), 0, [2, 3], [3, 1]), b: tensor(storage("1", 1), 0, [], []) });
const STORAGES = { 0: SIX, 1: floats(9) };
const EXPECTED = [
  ["a", { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) }],
  ["b", { shape: [], data: Float32Array.of(9) }],
];

/** The parts of a file from before 1.6, with STORAGES as its numbers. */
function legacy(state: Uint8Array, keys: Uint8Array): Buffer[] {
  const magic = saved(Buffer.from("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "latin1"));
  const system = saved(dict({ little_endian: Buffer.of(0x88) }));
  const count = (value: number): Buffer => Buffer.from(BigInt64Array.of(BigInt(value)).buffer);
  return [magic, saved(integer(1001)), system, saved(state), saved(keys), count(6), SIX, count(1), floats(9)];
}

describe("a state dict", () => {
  test("is read by name", async () => {
    expect([...(await read(torchFile(saved(STATE), STORAGES)))]).toEqual(EXPECTED);
  });

  test.each(["state_dict", "model"])("is found under %s, whatever stands beside it", async (wrapper) => {
    const wrapped = dict({ epoch: integer(3), losses: list(integer(1)), [wrapper]: STATE });
    expect([...(await read(torchFile(saved(wrapped), STORAGES)))]).toEqual(EXPECTED);
  });

  test("may be an OrderedDict with attributes, and hold what is no tensor", async () => {
    const ordered = pickle(
      call("collections", "OrderedDict"),
      pickle("(", text("a"), tensor(storage("0", 6), 0, [6], [1]), text("version"), integer(2), "u"),
      dict({ _metadata: dict({}) }),
      "b",
    );
    const tensors = await read(torchFile(saved(ordered), STORAGES));
    expect([...tensors.keys()]).toEqual(["a"]);
  });

  test("loses the prefix that DataParallel leaves on all names", async () => {
    const one = tensor(storage("0", 6), 0, [6], [1]);
    const parallel = await read(torchFile(saved(dict({ "module.a": one, "module.b": one })), STORAGES));
    expect([...parallel.keys()]).toEqual(["a", "b"]);
    const mixed = await read(torchFile(saved(dict({ "module.a": one, b: one })), STORAGES));
    expect([...mixed.keys()]).toEqual(["module.a", "b"]);
  });

  test("has tensors that look at a part of a storage, in any order", async () => {
    const six = storage("0", 6);
    const views = dict({
      transposed: tensor(six, 0, [3, 2], [1, 3]),
      column: tensor(six, 2, [2], [3]),
      tail: tensor(six, 4, [2], [1]),
      none: tensor(six, 0, [0, 4], [4, 1]),
    });
    const tensors = await read(torchFile(saved(views), STORAGES));
    const data = [...tensors].map(([name, view]) => [name, [...view.data]]);
    expect(Object.fromEntries(data)).toEqual({
      transposed: [0, 3, 1, 4, 2, 5],
      column: [2, 5],
      tail: [4, 5],
      none: [],
    });
  });

  test.each([
    ["DoubleStorage", Buffer.from(Float64Array.of(1.5, -2).buffer)],
    ["HalfStorage", Buffer.from(Uint16Array.of(0x3e00, 0xc000).buffer)],
    ["BFloat16Storage", Buffer.from(Uint16Array.of(0x3fc0, 0xc000).buffer)],
  ])("of %s becomes 32-bit floats", async (type, bytes) => {
    const state = dict({ a: tensor(storage("0", 2, type), 0, [2], [1]) });
    expect((await read(torchFile(saved(state), { 0: bytes }))).get("a")!.data).toEqual(Float32Array.of(1.5, -2));
  });

  test("of LongStorage becomes 32-bit floats", async () => {
    const state = dict({ a: tensor(storage("0", 2, "LongStorage"), 0, [2], [1]) });
    const bytes = Buffer.from(BigInt64Array.of(7n, -3n).buffer);
    expect((await read(torchFile(saved(state), { 0: bytes }))).get("a")!.data).toEqual(Float32Array.of(7, -3));
  });

  test("may lie in the format from before 1.6: pickles one after the other, then the numbers", async () => {
    const parts = legacy(STATE, list(text("0"), text("1")));
    expect([...(await read(Buffer.concat(parts)))]).toEqual(EXPECTED);
    await expect(read(Buffer.concat(parts.slice(0, -1)))).rejects.toThrow("it ends in the middle of its numbers");
    await expect(read(Buffer.concat(parts.slice(0, -2)))).rejects.toThrow("it ends in the middle");
    await expect(read(Buffer.concat([saved(integer(1)), ...parts.slice(1)]))).rejects.toThrow("not one of PyTorch");
  });
});

test("a file that calls a function is refused, and nothing is called", async () => {
  const trace = join(folder, "pwned");
  const hostile = dict({ state_dict: STATE, hook: call("os", "system", text(`touch ${trace}`)) });
  await expect(read(torchFile(saved(hostile), STORAGES))).rejects.toMatchObject({
    code: "WEIGHTS_UNSAFE",
    message: `${file} asks for os.system, which is no part of a tensor and could run code.`,
  });
  expect(existsSync(trace)).toBe(false);
});

const six = storage("0", 6);
const one = (view: Uint8Array): Buffer => torchFile(saved(dict({ a: view })), STORAGES);
/** A list that holds one list twice, which holds one list twice, and so on: as text it would have 2^40 letters. */
const doubled = pickle("]q\0", Array.from({ length: 40 }, () => "](h\0h\0eq\0").join(""));
const deep = pickle("]".repeat(60_000), "a".repeat(59_999));
const unnamed = pickle("}(", integer(5), tensor(six, 0, [6], [1]), "u");
const typed = (type: Uint8Array): Buffer =>
  pickle(tuple(text("storage"), type, text("0"), text("cpu"), integer(6)), "Q");
/** A list of sides that grows when the tensor was made of it. */
const grown = pickle(
  global("torch._utils", "_rebuild_tensor_v2"),
  "(",
  six,
  integer(0),
  list(integer(6)),
  "q\x01",
  list(integer(1)),
  "tR",
  "h\x01",
  integer(1000),
  "a0",
);
const many = list(...Array.from({ length: 1100 }, () => list()));
test.each<[string, Uint8Array, string]>([
  ["nothing in it", Buffer.alloc(0), "it is not the zip archive"],
  ["a picture in it", Buffer.from([0xff, 0xd8, 0xff, 0xe0]), "it is not the zip archive"],
  ["a tar archive in it", Buffer.from(`${"\0".repeat(257)}ustar${"\0".repeat(300)}`), "it is a tar archive"],
  ["a zip archive of something else", zip({ "word/document.xml": Buffer.of(1) }), "without PyTorch's data.pkl"],
  ["a TorchScript program", torchFile(saved(STATE), {}, { "archive/constants.pkl": Buffer.of(1) }), "TorchScript"],
  [
    "big-endian numbers",
    torchFile(saved(STATE), STORAGES, { "archive/byteorder": Buffer.from("big") }),
    "little-endian",
  ],
  ["its end cut off", torchFile(saved(STATE), STORAGES).subarray(0, -30), "its zip archive is damaged"],
  ["a list in it", torchFile(saved(list(STATE)), STORAGES), "it holds no state dict"],
  ["no tensor in it", torchFile(saved(dict({ a: integer(1) }))), "there are no tensors in it"],
  ["a storage that is missing", torchFile(saved(STATE), { 0: SIX }), "the numbers of data/1 are missing"],
  [
    "a storage that is short",
    torchFile(saved(STATE), { 0: SIX.subarray(4), 1: SIX }),
    "data/0 has 20 bytes and should have 24",
  ],
  [
    "a tensor over the end of its storage",
    one(tensor(six, 1, [2, 3], [3, 1])),
    "a tensor of 2x3 does not fit its 6 numbers",
  ],
  [
    "a tensor of 2^62 numbers that are one",
    one(tensor(six, 0, [2 ** 31 - 1, 2 ** 31 - 1], [0, 0])),
    "does not fit its 6",
  ],
  ["a tensor with too few strides", one(tensor(six, 0, [2, 3], [3])), "does not fit its 6"],
  ["a tensor at a negative place", one(tensor(six, -1, [1], [1])), "a tensor has no numbers, shape or strides"],
  ["a tensor of no storage", one(tensor(text("0"), 0, [1], [1])), "a tensor has no numbers, shape or strides"],
  ["a storage of an unknown type", one(tensor(pickle(many, "Q"), 0, [1], [1])), "it refers to what is no storage"],
  [
    "two sizes of one storage",
    torchFile(
      saved(dict({ a: tensor(storage("0", 6), 0, [6], [1]), b: tensor(storage("0", 1000), 0, [1000], [1]) })),
      STORAGES,
    ),
    "its tensors disagree on how many numbers of what type storage 0 has",
  ],
  [
    "two types of one storage",
    torchFile(
      saved(dict({ a: tensor(storage("0", 6), 0, [6], [1]), b: tensor(storage("0", 6, "IntStorage"), 0, [6], [1]) })),
      STORAGES,
    ),
    "its tensors disagree on how many numbers of what type storage 0 has",
  ],
  ["a tensor that grows after it was checked", one(grown), "its zip archive is damaged"],
  ["a number for a name", torchFile(saved(unnamed), STORAGES), "a tensor's name is no text"],
  [
    "a number for a name, from before 1.6",
    Buffer.concat(legacy(unnamed, list(text("0")))),
    "a tensor's name is no text",
  ],
  [
    "numbers for its storages, from before 1.6",
    Buffer.concat(legacy(STATE, list(doubled, deep))),
    "it has no list of its storages",
  ],
  [
    "a tensor that grows, from before 1.6",
    Buffer.concat(legacy(dict({ a: grown }), list(text("0")))),
    "its pickle is damaged",
  ],
  ["doubled lists as a storage's type", one(tensor(typed(doubled), 0, [1], [1])), "it refers to what is no storage"],
  ["nested lists as a storage's type", one(tensor(typed(deep), 0, [1], [1])), "it refers to what is no storage"],
  ["a dictionary of no pairs", one(call("collections", "OrderedDict", list(integer(1)))), "a dictionary without keys"],
])("a file with %s is WEIGHTS_UNREADABLE", async (_, bytes, why) => {
  await expect(read(bytes)).rejects.toMatchObject({
    name: "MultiboxError",
    code: "WEIGHTS_UNREADABLE",
    message: expect.stringMatching(/^\S+weights\.pth is not a readable PyTorch file: .*\.$/),
  });
  await expect(read(bytes)).rejects.toThrow(why);
});

test("a directory that would lie far outside the file is damage, and not the end of the program", async () => {
  const whole = torchFile(saved(STATE), STORAGES);
  // The locator of a 64-bit directory, 20 bytes before the end record of 22.
  const locator = Buffer.alloc(20, 0x42);
  locator.write("PK\x06\x07");
  await expect(read(Buffer.concat([whole.subarray(0, -22), locator, whole.subarray(-22)]))).rejects.toMatchObject({
    code: "WEIGHTS_UNREADABLE",
    message: expect.stringMatching(/its zip archive is damaged \(byte \d+ would be outside the file\)/),
  });
});

test("numbers are bounded however often a storage is looked at", async () => {
  // 2^20 numbers, seen 513 times, would be more than 2 GiB of floats.
  const large = storage("0", 2 ** 20);
  const views = Array.from({ length: 513 }, (_, i): [string, Buffer] => [`t${i}`, tensor(large, 0, [2 ** 20], [1])]);
  const bytes = torchFile(saved(dict(Object.fromEntries(views))), { 0: Buffer.alloc(2 ** 22) });
  await expect(read(bytes)).rejects.toThrow("it has 537919488 numbers, and 536870912 are the most");
});
