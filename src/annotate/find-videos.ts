// The videos that a call means: files as they are named, and those in folders, told by their endings.
import { readdir, stat } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { MultiboxError } from "../errors.ts";
import { schemeOf } from "../pipeline/stream.ts";

/** Endings of files in folders that are taken for videos; a file that is named itself may have any. */
const VIDEO_ENDINGS = new Set(
  ".mp4 .m4v .mov .mkv .webm .avi .ts .mts .m2ts .mpg .mpeg .wmv .flv .3gp .ogv .mjpg .mjpeg .y4m .h264 .h265 .hevc .ivf".split(
    " ",
  ),
);

export interface FoundInput {
  readonly path: string;
  /** Of the folder that was named to the folder of the file: "" for a file that was named itself. */
  readonly below: string;
}

/** Files in the order in which they were named, those of a folder by name. `isOwn` tells multibox's own outputs, which are left out. */
export async function findVideos(names: readonly string[], isOwn: (name: string) => boolean): Promise<FoundInput[]> {
  const found: FoundInput[] = [];
  for (const name of names) {
    if (schemeOf(name) !== "file") {
      const hint = "Give a file or a folder; `multibox serve` watches cameras.";
      throw new MultiboxError("STREAM_BAD_SCHEME", `${name.split("://")[0]}:// is no file.`, hint);
    }
    const stats = name === "-" ? undefined : await stat(name).catch(() => undefined);
    if (!stats?.isDirectory()) {
      found.push({ path: name, below: "" });
      continue;
    }
    const before = found.length;
    for (const path of await listVideos(name, isOwn)) found.push({ path, below: relative(name, join(path, "..")) });
    if (found.length > before) continue;
    const endings = [...VIDEO_ENDINGS].join(" ");
    throw new MultiboxError("NO_VIDEOS", `There is no video in ${name}.`, `Of a folder these are taken: ${endings}.`);
  }
  return found;
}

async function listVideos(folder: string, isOwn: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const paths: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await listVideos(path, isOwn)));
    else if (VIDEO_ENDINGS.has(extname(entry.name).toLowerCase()) && !isOwn(entry.name)) paths.push(path);
  }
  return paths;
}
