// Makes the other forms out of finished JSON lines, each under a temporary name that is renamed when it is whole.
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { systemCode } from "../errors.ts";
import { writeFailure } from "../whole-file.ts";
import type { Annotations } from "./annotation-file.ts";
import type { AnnotationFormat, ConvertContext } from "./format.ts";

/** The temporary name keeps its ending, by which ffmpeg chooses a container. */
export function draftPath(path: string): string {
  const ending = extname(path);
  return join(dirname(path), `${basename(path, ending)}.${process.pid}.partial${ending}`);
}

/** Writes `path` in this form, replacing what is there. Fails as the form does, and with NOT_WRITABLE or DISK_FULL; leaves nothing behind. */
export async function convertTo(
  format: AnnotationFormat,
  annotations: Annotations,
  path: string,
  context: ConvertContext,
): Promise<void> {
  const draft = draftPath(path);
  const old = `${draft}.old`;
  try {
    await rm(draft, { recursive: true, force: true });
    if (format.kind === "folder") await mkdir(draft);
    await format.convert(annotations, draft, context);
    // A folder cannot be renamed over a full one, so the old one steps aside first.
    if (format.kind === "folder") {
      await rename(path, old).catch((error: unknown) => {
        if (systemCode(error) !== "ENOENT") throw error;
      });
    }
    await rename(draft, path);
    await rm(old, { recursive: true, force: true });
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    throw writeFailure(cause, path);
  }
}
