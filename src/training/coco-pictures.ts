// Finds the images that a COCO file names, which tools write in many ways: with backslashes, with the path of another machine, in other
// folders, with letters composed otherwise.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { isUnder } from "../is-under.ts";
import type { DatasetOptions } from "./dataset.ts";
import { NamesOnDisk } from "./names-on-disk.ts";
import { invalidDataset, requirePictures } from "./object-check.ts";
import { requireUnder } from "./only-under.ts";

type Place = Pick<DatasetOptions, "folder" | "onlyUnder"> & { readonly source: string };

/** Fails with PICTURE_MISSING, with FILE_NOT_ALLOWED, and with DATASET_INVALID where two names can only mean one file. */
export async function locatePictures(
  names: readonly string[],
  { folder, source, onlyUnder }: Place,
): Promise<readonly string[]> {
  const folders = usualFolders(folder, source);
  const base = folders.find((candidate) => existsSync(join(candidate, names[0]!))) ?? folders[0]!;
  const written = names.map((name) => join(base, name));
  const slashed = names.map((name) => join(base, name.replaceAll("\\", "/")));
  // Before anything is looked for: nobody learns by asking which files the machine has.
  await requireUnder([...written, ...slashed], onlyUnder);
  const disk = new Disk(onlyUnder);
  const files: string[] = [];
  const missing: string[] = [];
  const guessed = new Map<string, string>();
  for (const [i, name] of names.entries()) {
    const plain = (await disk.find(written[i]!)) ?? (await disk.find(slashed[i]!));
    const file = plain ?? (await search(name, folders, disk, onlyUnder));
    if (file === undefined) missing.push(isPlain(name) ? written[i]! : `${name}, which is not in ${base} either`);
    else files.push(file);
    if (file !== undefined && plain === undefined) guessed.set(file, name);
  }
  requirePictures(missing, names.length);
  for (const [i, file] of files.entries()) {
    const other = guessed.get(file);
    if (other === undefined || other === names[i]) continue;
    const what = `the images ${JSON.stringify(names[i])} and ${JSON.stringify(other)} would both be ${file}`;
    throw invalidDataset(source, what, "Put the images into the folders that their names say.");
  }
  await requireUnder(files, onlyUnder);
  return files;
}

function usualFolders(folder: string, source: string): readonly string[] {
  const split = /instances_(.+)\.json$/.exec(source)?.[1];
  const bySplit = split === undefined ? [] : [join(folder, split), join(folder, "images", split)];
  return [join(folder, "images"), ...bySplit, folder, dirname(source), join(dirname(source), "images")];
}

/** The path as it is where it is absolute and there, else the longest end of it that is there in one of the folders. */
async function search(
  name: string,
  folders: readonly string[],
  disk: Disk,
  onlyUnder: Place["onlyUnder"],
): Promise<string | undefined> {
  const path = normalize(name.replaceAll("\\", "/"));
  const isAllowed = onlyUnder === undefined || onlyUnder.some((root) => isUnder(path, root));
  const asIs = path.startsWith("/") && isAllowed ? await disk.find(path) : undefined;
  if (asIs !== undefined) return asIs;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".." && !/^[a-z]:$/i.test(part));
  for (let from = 0; from < parts.length; from++) {
    for (const folder of folders) {
      const file = await disk.find(join(folder, ...parts.slice(from)));
      if (file !== undefined) return file;
    }
  }
  return undefined;
}

const isPlain = (name: string): boolean => !name.includes("\\") && !name.startsWith("/");

/** Asks each folder once: a hundred thousand single questions take minutes on a network disk. */
class Disk {
  readonly #folders = new Map<string, Promise<NamesOnDisk>>();
  readonly #onlyUnder: Place["onlyUnder"];

  constructor(onlyUnder: Place["onlyUnder"]) {
    this.#onlyUnder = onlyUnder;
  }

  async find(file: string): Promise<string | undefined> {
    const folder = dirname(file);
    for (const form of new Set([folder, folder.normalize("NFC"), folder.normalize("NFD")])) {
      const name = (await this.#list(form)).find(basename(file));
      if (name !== undefined) return join(form, name);
    }
    return undefined;
  }

  #list(folder: string): Promise<NamesOnDisk> {
    const known = this.#folders.get(folder);
    if (known) return known;
    const list = this.#read(folder);
    this.#folders.set(folder, list);
    return list;
  }

  async #read(folder: string): Promise<NamesOnDisk> {
    await requireUnder([join(folder, "any")], this.#onlyUnder);
    return new NamesOnDisk(await readdir(folder).catch(() => []));
  }
}
