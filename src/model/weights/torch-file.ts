// Files of PyTorch (`torch.save`): the state dict in them as float32 tensors, read without running anything.
import { open } from "node:fs/promises";
import { MultiboxError, sentenceOf } from "../../errors.ts";
import { bytesOf, toFloats } from "./number-formats.ts";
import { unpickle } from "./pickle.ts";
import { unreadable } from "./pickle-machine.ts";
import { elementCount, type Tensor, type Tensors } from "./safetensors.ts";
import { readLegacyTorch } from "./torch-legacy.ts";
import { gather, type Storage, torchRoom, View } from "./torch-objects.ts";
import { openZip } from "./zip-file.ts";

/**
 * The tensors of a `.pth` or `.pt` file by name, also of one that holds them under `state_dict` or `model`. A prefix `module.` of
 * all names, which `DataParallel` leaves, is dropped. Fails with WEIGHTS_UNREADABLE, WEIGHTS_UNSAFE or a system's error.
 */
export async function readTorch(file: string): Promise<Tensors> {
  const head = await firstBytes(file);
  if (head.readUInt32LE(0) === ZIP_MAGIC) return readZip(file);
  // A pickle of protocol 2 or newer.
  if (head[0] === 0x80) return readLegacy(file);
  if (head.toString("latin1", 257, 262) === "ustar")
    throw unreadable(file, "it is a tar archive, which PyTorch wrote before 0.2; load it there and save it again");
  throw unreadable(file, "it is not the zip archive that PyTorch writes since 1.6");
}

const ZIP_MAGIC = 0x04034b50;
const ZIP = "its zip archive";

/** Most bytes of the pickle, which holds names and shapes only, and most numbers in all tensors: 2 GiB as floats. */
const MAX_PICKLE = 2 ** 26;
const MAX_NUMBERS = 2 ** 29;

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const head = Buffer.alloc(512);
    await handle.read(head, 0, head.length, 0);
    return head;
  } finally {
    await handle.close();
  }
}

/** What went wrong as the user sees it: whatever a hostile file makes go wrong is that file's damage. */
function damaged(file: string, part: string, cause: unknown): unknown {
  if (cause instanceof MultiboxError) return cause;
  return unreadable(file, `${part} is damaged (${sentenceOf(cause).replace(/\.$/, "")})`);
}

async function readLegacy(file: string): Promise<Tensors> {
  try {
    return await collect(file, ...(await readLegacyTorch(file)));
  } catch (cause) {
    throw damaged(file, "its pickle", cause);
  }
}

async function readZip(file: string): Promise<Tensors> {
  const zip = await openZip(file).catch((cause: unknown) => {
    throw damaged(file, ZIP, cause);
  });
  try {
    const [pickle, ...others] = zip.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
    if (pickle === undefined || others.length > 0)
      throw unreadable(file, "it is a zip archive without PyTorch's data.pkl");
    const folder = pickle.slice(0, -"data.pkl".length);
    const has = (name: string): boolean => zip.names.includes(folder + name);
    if (has("constants.pkl")) throw unreadable(file, "it is a TorchScript program and not a state dict");
    if (has("byteorder") && (await zip.read(`${folder}byteorder`, 16)).toString() !== "little")
      throw unreadable(file, "its numbers are not little-endian");
    const { value } = unpickle(await zip.read(pickle, MAX_PICKLE), 0, torchRoom(file));
    return await collect(file, value, async ({ key, format, elements }) => {
      if (!has(`data/${key}`)) throw unreadable(file, `the numbers of data/${key} are missing`);
      const data = await zip.read(`${folder}data/${key}`, MAX_NUMBERS * bytesOf(format));
      if (data.length !== elements * bytesOf(format))
        throw unreadable(file, `data/${key} has ${data.length} bytes and should have ${elements * bytesOf(format)}`);
      return data;
    });
  } catch (cause) {
    throw damaged(file, ZIP, cause);
  } finally {
    await zip.close();
  }
}

/** The tensors of what was unpickled; `load` gets the bytes of a storage. */
async function collect(
  file: string,
  value: unknown,
  load: (storage: Storage) => Promise<Uint8Array>,
): Promise<Tensors> {
  const views = [...stateDict(file, value)].filter((entry): entry is [unknown, View] => entry[1] instanceof View);
  if (!views.every(isNamed)) throw unreadable(file, "a tensor's name is no text");
  if (views.length === 0) throw unreadable(file, "there are no tensors in it");
  const numbers = views.reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
  if (numbers > MAX_NUMBERS) throw unreadable(file, `it has ${numbers} numbers, and ${MAX_NUMBERS} are the most`);
  const tensors = new Map<string, Tensor>(views.map(([name]) => [name, { shape: [], data: new Float32Array(0) }]));
  // Tensors that share a storage follow each other, so that only one storage is in memory at a time.
  const byStorage = views.toSorted(([, a], [, b]) => (a.storage.key < b.storage.key ? -1 : 1));
  let loaded: { storage: Storage; floats: Float32Array } | undefined;
  for (const [name, view] of byStorage) {
    const { key, format, elements } = view.storage;
    if (loaded?.storage.key !== key)
      loaded = { storage: view.storage, floats: toFloats(format, await load(view.storage)) };
    // Views were held against the size that they claim for their storage, which only `load` compares with what is there.
    if (loaded.storage.format !== format || loaded.storage.elements !== elements)
      throw unreadable(file, `its tensors disagree on how many numbers of what type storage ${key} has`);
    tensors.set(name, gather(view, loaded.floats));
  }
  const parallel = [...tensors.keys()].every((name) => name.startsWith("module."));
  return parallel ? new Map([...tensors].map(([name, tensor]) => [name.slice("module.".length), tensor])) : tensors;
}

function isNamed(entry: [unknown, View]): entry is [string, View] {
  return typeof entry[0] === "string";
}

function stateDict(file: string, value: unknown): Map<unknown, unknown> {
  if (!(value instanceof Map)) throw unreadable(file, "it holds no state dict");
  for (const wrapper of ["state_dict", "model"]) {
    const inner: unknown = value.get(wrapper);
    if (inner instanceof Map) return inner;
  }
  return value;
}
