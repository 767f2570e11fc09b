// Pickles and the zip archives of PyTorch, written opcode by opcode, so that tests can write what no Python would.

/** Concatenates opcodes. */
export function pickle(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

export const PROTOCOL_2 = "\x80\x02";
export const STOP = ".";

export const global = (module: string, name: string): Buffer => pickle("c", module, "\n", name, "\n");
export const integer = (value: number): Buffer => pickle("J", int32(value));
export const text = (value: string): Buffer => pickle("X", int32(Buffer.byteLength(value)), Buffer.from(value));
export const tuple = (...items: readonly Uint8Array[]): Buffer => pickle("(", ...items, "t");
export const list = (...items: readonly Uint8Array[]): Buffer => pickle("](", ...items, "e");
export const dict = (entries: Readonly<Record<string, Uint8Array>>): Buffer =>
  pickle("}(", ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]), "u");
/** `module.name(...args)`. */
export const call = (module: string, name: string, ...args: readonly Uint8Array[]): Buffer =>
  pickle(global(module, name), tuple(...args), "R");

/** A storage of the file, by its persistent id. */
export const storage = (key: string, elements: number, type = "FloatStorage"): Buffer =>
  pickle(tuple(text("storage"), global("torch", type), text(key), text("cpu"), integer(elements)), "Q");

/** A tensor as `torch.save` writes it. */
export function tensor(
  numbers: Uint8Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Buffer {
  const counts = (values: readonly number[]): Buffer => tuple(...values.map(integer));
  const hooks = call("collections", "OrderedDict");
  const no = Buffer.of(0x89);
  return call(
    "torch._utils",
    "_rebuild_tensor_v2",
    numbers,
    integer(offset),
    counts(shape),
    counts(strides),
    no,
    hooks,
  );
}

/** The bytes of a `.pth` file: the pickle, and the bytes of its storages by key. */
export function torchFile(
  data: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  others: Readonly<Record<string, Uint8Array>> = {},
): Buffer {
  const numbers = Object.entries(storages).map(([key, bytes]): [string, Uint8Array] => [`archive/data/${key}`, bytes]);
  return zip({ "archive/data.pkl": data, ...Object.fromEntries(numbers), ...others });
}

/** A zip archive whose entries are stored as they are (PKWARE's APPNOTE, section 4.3); nobody reads the checksums. */
export function zip(entries: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), bytes]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, place, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, ...directory, Buffer.from("PK\x05\x06"), end]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
