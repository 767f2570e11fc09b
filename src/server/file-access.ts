// Which files may become streams over the API: those under the configured folders, with every link followed.
import { realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { MultiboxError } from "../errors.ts";
import { show } from "./explain.ts";

/**
 * The real path of a file that may be opened. Fails with FILE_NOT_ALLOWED, and with FILE_NOT_FOUND only inside of the
 * folders, so that nobody learns by asking which files the machine has.
 */
export async function allowedFile(path: string, roots: readonly string[]): Promise<string> {
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  const wanted = resolve(path);
  if (![...roots.map((root) => resolve(root)), ...realRoots].some((root) => isUnder(wanted, root)))
    throw notAllowed(path);
  const real = await realpath(wanted).catch(() => undefined);
  if (real !== undefined && !realRoots.some((root) => isUnder(real, root))) throw notAllowed(path);
  if (real === undefined || !(await stat(real)).isFile()) {
    throw new MultiboxError(
      "FILE_NOT_FOUND",
      `There is no file ${show(path)}.`,
      "Check the path; folders cannot be played.",
    );
  }
  return real;
}

function isUnder(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function notAllowed(path: string): MultiboxError {
  return new MultiboxError(
    "FILE_NOT_ALLOWED",
    `The file ${show(path)} is in none of the folders that the API may open files from.`,
    "Add its folder to the setting `fileRoots`, or give the stream on the command line with --stream.",
  );
}
