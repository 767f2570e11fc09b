// Holds a data set to folders: what its files name, and where links lead to, lies nowhere else.
import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import { isUnder } from "../is-under.ts";

/**
 * Before any of the files is opened. Asks each of their folders once, and each link. Files that are not there are for others to complain of,
 * so that nobody learns by asking which files the machine has. Fails with FILE_NOT_ALLOWED. `folders`: undefined for anywhere.
 */
export async function requireUnder(files: readonly string[], folders: readonly string[] | undefined): Promise<void> {
  if (folders === undefined) return;
  const roots = await Promise.all(folders.map(realOrSame));
  const allowed = (path: string): boolean => roots.some((root) => isUnder(path, root));
  const inFolder = new Map<string, string[]>();
  for (const file of files) {
    const folder = dirname(resolve(file));
    inFolder.set(folder, [...(inFolder.get(folder) ?? []), file]);
  }
  for (const [folder, own] of inFolder) {
    if (!allowed(await realOrSame(folder))) throw notAllowed(own[0]!);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const links = new Set(entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name));
    for (const file of own.filter((one) => links.has(basename(one)))) {
      const real = await realpath(join(folder, basename(file))).catch(() => undefined);
      if (real !== undefined && !allowed(real)) throw notAllowed(file);
    }
  }
}

async function realOrSame(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}

function notAllowed(file: string): MultiboxError {
  return new MultiboxError(
    "FILE_NOT_ALLOWED",
    `The data set's file ${file} leads out of the folders that it may be in.`,
    "Put a copy into the data set's folder, or allow the folder in which it is.",
  );
}
