// Everything in the data folder is its owner's alone: frames of cameras, passwords in URLs, digests of tokens.
import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { systemCode } from "../errors.ts";

/** What multibox has in a data folder. Whatever else is there is not touched: a user may have given a folder with other things in it. */
const OURS =
  /^(captures|jobs|trainings|models|quarantine|clock\.json|server\.lock|(multibox|history)\.db(-wal|-shm|-journal|-damaged)?)$/;
const OTHERS = 0o077;

/**
 * From now on this process and its children create files that others cannot read, whichever library writes them, and so do partial files.
 * A process that writes to a data folder has nothing to share.
 */
export function createPrivately(): void {
  // A thread cannot, and has the setting of its process.
  if (isMainThread) process.umask(OTHERS);
}

/** Takes from others what earlier versions let them read. Returns how many files and folders could not be changed. */
export function tighten(dataDir: string): number {
  let failed = 0;
  const visit = (path: string): void => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found || found.isSymbolicLink()) return;
    if ((found.mode & OTHERS) !== 0) {
      try {
        chmodSync(path, found.mode & 0o7700);
      } catch {
        failed += 1;
      }
    }
    if (found.isDirectory()) for (const name of namesIn(path)) visit(join(path, name));
  };
  for (const name of namesIn(dataDir)) if (OURS.test(name)) visit(join(dataDir, name));
  return failed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
