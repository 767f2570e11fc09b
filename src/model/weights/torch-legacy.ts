// PyTorch's format from before 1.6: pickles one after the other, then the numbers; the published VGG16 is such a file.
import { readFile } from "node:fs/promises";
import { bytesOf } from "./number-formats.ts";
import { unpickle } from "./pickle.ts";
import { unreadable } from "./pickle-machine.ts";
import { Storage, torchRoom } from "./torch-objects.ts";

/** The unpickled value, and what gets the bytes of a storage. Fails with WEIGHTS_UNREADABLE or WEIGHTS_UNSAFE. */
export async function readLegacyTorch(
  file: string,
): Promise<[value: unknown, load: (storage: Storage) => Promise<Uint8Array>]> {
  const bytes = await readFile(file);
  const room = torchRoom(file);
  const formats = new Map<string, number>();
  const persistent = (id: unknown): unknown => {
    const storage = room.persistent(id);
    if (storage instanceof Storage) formats.set(storage.key, bytesOf(storage.format));
    return storage;
  };
  const magic = unpickle(bytes, 0, room);
  if (magic.value !== MAGIC) throw unreadable(file, "it is a pickle, but not one of PyTorch");
  const protocol = unpickle(bytes, magic.end, room);
  const system = unpickle(bytes, protocol.end, room);
  if (system.value instanceof Map && system.value.get("little_endian") === false)
    throw unreadable(file, "its numbers are not little-endian");
  const object = unpickle(bytes, system.end, { ...room, persistent });
  const keys = unpickle(bytes, object.end, room);
  if (!isTexts(keys.value)) throw unreadable(file, "it has no list of its storages");
  const storages = new Map<string, Uint8Array>();
  let at = keys.end;
  for (const key of keys.value) {
    // Each storage is preceded by how many numbers it has.
    if (at + 8 > bytes.length) throw unreadable(file, "it ends in the middle");
    const length = Number(bytes.readBigInt64LE(at)) * (formats.get(key) ?? Number.NaN);
    if (!(length >= 0 && at + 8 + length <= bytes.length))
      throw unreadable(file, "it ends in the middle of its numbers");
    storages.set(key, bytes.subarray(at + 8, (at += 8 + length)));
  }
  const load = (storage: Storage): Promise<Uint8Array> => {
    const data = storages.get(storage.key);
    if (data?.length !== storage.elements * bytesOf(storage.format))
      throw unreadable(file, `the numbers of ${storage.key} are missing`);
    return Promise.resolve(data);
  };
  return [object.value, load];
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** 0x1950a86a20f9469cfc6c in PyTorch's `serialization.py`, as near as a double comes. */
const MAGIC = Number(0x1950a86a20f9469cfc6cn);
