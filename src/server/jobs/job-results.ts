// What a job leaves to be downloaded: the forms that are whole, those that are folders packed into one file each.
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { create } from "tar";
import { outputsOf, parseOutputs } from "../../annotate/outputs.ts";
import { writeFailure } from "../../whole-file.ts";
import type { JobResult } from "./job-schemas.ts";
import type { JobRecord } from "./job-record.ts";

/** In a job's folder. */
export const RESULTS = "results";

/** Packs what is a folder, and removes whatever else there is. Fails with DISK_FULL or NOT_WRITABLE. */
export async function keepResults(
  folder: string,
  { video, options }: Pick<JobRecord, "video" | "options">,
): Promise<JobResult[]> {
  const place = join(folder, RESULTS);
  const outputs = outputsOf(video, parseOutputs(options.out, "video"), place);
  const results: JobResult[] = [];
  for (const [i, { path }] of outputs.entries()) {
    const found = await stat(path).catch(() => undefined);
    if (!found) continue;
    const form = options.out[i]!;
    if (found.isDirectory()) results.push({ form, ...(await pack(place, basename(path))) });
    else results.push({ name: basename(path), form, bytes: found.size });
  }
  const kept = new Set(results.map(({ name }) => name));
  for (const name of await readdir(place).catch(() => []))
    if (!kept.has(name)) await rm(join(place, name), { recursive: true, force: true });
  return results;
}

/** Of a folder an archive that any system can open, under a temporary name until it is whole. */
async function pack(place: string, name: string): Promise<Omit<JobResult, "form">> {
  const target = join(place, `${name}.tar`);
  const draft = `${target}.tmp`;
  try {
    let files = 0;
    // A name that begins with @ would be read as that of another archive.
    await create(
      { file: draft, cwd: place, portable: true, onWriteEntry: ({ type }) => void (files += Number(type === "File")) },
      [`./${name}`],
    );
    await rename(draft, target);
    return { name: `${name}.tar`, bytes: (await stat(target)).size, files };
  } catch (cause) {
    throw writeFailure(cause, target);
  }
}
