// The videos or pictures that a call means: files as they are named, and those in folders, told by their endings.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { MultiboxError } from "../errors.ts";
import { isHidden } from "../hidden-file.ts";
import { isUnder } from "../is-under.ts";
import { schemeOf } from "../pipeline/stream.ts";

/** Endings of files in folders that are taken for videos; a file that is named itself may have any. */
const VIDEO_ENDINGS = new Set(
  ".mp4 .m4v .mov .mkv .webm .avi .ts .mts .m2ts .mpg .mpeg .wmv .flv .3gp .ogv .mjpg .mjpeg .y4m .h264 .h265 .hevc .ivf".split(
    " ",
  ),
);

/** What sharp is let read: see decode-picture.ts. */
const PICTURE_ENDINGS = new Set([".jpg", ".jpeg", ".png"]);

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
    for (const path of await list(name, VIDEO_ENDINGS, isOwn))
      found.push({ path, below: relative(name, join(path, "..")) });
    if (found.length > before) continue;
    throw nothingIn(name, "video", VIDEO_ENDINGS);
  }
  return found;
}

export interface FoundPicture {
  readonly path: string;
  /** Unlike that of all others, with `/`: its path within the folder that was named, or from the folder that all have in common. */
  readonly name: string;
}

/** The same, of pictures. */
export async function findPictures(
  names: readonly string[],
  isOwn: (name: string) => boolean,
): Promise<FoundPicture[]> {
  const found: { path: string; name: string }[] = [];
  for (const name of names) {
    const stats = await stat(name).catch(() => undefined);
    if (!stats?.isDirectory()) {
      found.push({ path: name, name: basename(name) });
      continue;
    }
    const paths = await list(name, PICTURE_ENDINGS, isOwn);
    if (paths.length === 0) throw nothingIn(name, "picture", PICTURE_ENDINGS);
    for (const path of paths) found.push({ path, name: posix(relative(name, path)) });
  }
  if (new Set(found.map(({ name }) => name)).size === found.length) return found;
  const common = commonFolder(found.map(({ path }) => dirname(resolve(path))));
  return found.map(({ path }) => ({ path, name: posix(relative(common, resolve(path))) }));
}

function commonFolder(folders: readonly string[]): string {
  let [common] = folders as [string];
  for (const folder of folders) while (!isUnder(folder, common)) common = dirname(common);
  return common;
}

const posix = (path: string): string => path.split(sep).join("/");

async function list(folder: string, endings: ReadonlySet<string>, isOwn: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const paths: string[] = [];
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await list(path, endings, isOwn)));
    else if (endings.has(extname(entry.name).toLowerCase()) && !isOwn(path)) paths.push(path);
  }
  return paths;
}

function nothingIn(folder: string, what: string, endings: ReadonlySet<string>): MultiboxError {
  const hint = `Of a folder these are taken: ${[...endings].join(" ")}.`;
  return new MultiboxError("FILE_NOT_FOUND", `There is no ${what} in ${folder}.`, hint);
}
