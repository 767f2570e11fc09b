// Which files and folders may be opened over the API: those under the configured folders, with every link followed.
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { MultiboxError } from "../../errors.ts";
import { isUnder } from "../../is-under.ts";
import { show } from "../api/explain.ts";

/**
 * The real path of a file that may be opened. Fails with FILE_NOT_ALLOWED, and with FILE_NOT_FOUND only inside of the
 * folders, so that nobody learns by asking which files the machine has.
 */
export async function allowedFile(path: string, roots: readonly string[]): Promise<string> {
  const real = await allowedPath(path, roots);
  if (real !== undefined && (await stat(real)).isFile()) return real;
  throw new MultiboxError(
    "FILE_NOT_FOUND",
    `There is no file ${show(path)}.`,
    "Check the `url` or `path`; folders cannot be played.",
  );
}

/** The same for a folder, which may be one of the configured ones itself. */
export async function allowedFolder(path: string, roots: readonly string[]): Promise<string> {
  const real = await allowedPath(path, roots);
  if (real !== undefined && (await stat(real)).isDirectory()) return real;
  throw new MultiboxError("FILE_NOT_FOUND", `There is no folder ${show(path)}.`, "Check the path.");
}

/** Undefined where there is nothing. */
async function allowedPath(path: string, roots: readonly string[]): Promise<string | undefined> {
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  const wanted = resolve(path);
  if (![...roots.map((root) => resolve(root)), ...realRoots].some((root) => isUnder(wanted, root)))
    throw notAllowed(path);
  const real = await realpath(wanted).catch(() => undefined);
  if (real !== undefined && !realRoots.some((root) => isUnder(real, root))) throw notAllowed(path);
  return real;
}

function notAllowed(path: string): MultiboxError {
  return new MultiboxError(
    "FILE_NOT_ALLOWED",
    `The file ${show(path)} is in none of the folders that the API may open files from.`,
    "Add the folder of this `url` or `path` to the setting `fileRoots`, or give a stream on the command line with --stream.",
  );
}
