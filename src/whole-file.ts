// Writes files and folders that are either whole or not there.
import { constants, existsSync } from "node:fs";
import { access, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MultiboxError, systemCode } from "./errors.ts";

/** That a file, or a folder, may be written there. Fails with NOT_WRITABLE before hours of work, rather than after them. */
export async function requireWritable(path: string, kind: "file" | "folder" = "file"): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const found = await stat(path).catch(() => undefined);
    if (kind === "file" && found?.isDirectory()) throw Object.assign(new Error("It is a folder."), { code: "EISDIR" });
  } catch (cause) {
    throw writeFailure(cause, path);
  }
}

/** Writes the chunks under a temporary name and renames that. Fails with NOT_WRITABLE or DISK_FULL, and leaves nothing behind. */
export async function writeWhole(path: string, chunks: Iterable<string | Uint8Array>): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, "w");
    try {
      for (const chunk of chunks) await file.appendFile(chunk);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw writeFailure(cause, path);
  }
}

/** Writes a folder of files likewise; a folder that is there already is replaced. */
export async function writeWholeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await replaceFolder(folder, files).catch((cause: unknown) => {
    throw writeFailure(cause, folder);
  });
}

/** The same, failing as the system does. */
export async function replaceFolder(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  const draft = `${folder}.${process.pid}.tmp`;
  const old = `${draft}.old`;
  try {
    await mkdir(draft);
    for (const [name, content] of files) await writeFile(join(draft, name), content);
    // A folder cannot be renamed over a full one, so the old one steps aside first.
    await rename(folder, old).catch((error: unknown) => {
      if (systemCode(error) !== "ENOENT") throw error;
    });
    await rename(draft, folder);
    await rm(old, { recursive: true, force: true });
  } catch (cause) {
    // It comes back where nothing took its place. What cannot be removed either must not hide why.
    if (!existsSync(folder)) await rename(old, folder).catch(() => undefined);
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    throw cause;
  }
}

/** Why something could not be written there, as a sentence where it is known. */
export function writeFailure(cause: unknown, path: string): unknown {
  const hint = "Choose another file.";
  switch (systemCode(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new MultiboxError("DISK_FULL", `There is no space left for ${path}.`, hint, { cause });
    case "ENOENT":
    case "ENOTDIR":
      return new MultiboxError("NOT_WRITABLE", `There is no folder ${dirname(path)}.`, hint, { cause });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new MultiboxError("NOT_WRITABLE", `${path} cannot be written.`, hint, { cause });
    case "EISDIR":
      return new MultiboxError("NOT_WRITABLE", `${path} is a folder.`, hint, { cause });
    default:
      return cause;
  }
}
