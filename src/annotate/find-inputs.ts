// The videos or pictures that a call means: files as they are named, and those in folders, told by their endings.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { countOf } from "../count.ts";
import { MultiboxError } from "../errors.ts";
import { isHidden } from "../hidden-file.ts";
import { isUnder } from "../is-under.ts";
import { schemeOf } from "../pipeline/stream.ts";

/** Endings of files in folders that are taken for videos; a file that is named itself may have any. */
const VIDEO_ENDINGS = endings(
  "mp4 m4v mov qt mkv webm avi divx wmv asf flv f4v ogv ogm rm rmvb 3gp 3g2 mxf nut dv dav",
  "ts m2t m2ts mts trp tp mpg mpeg mpe mpv m1v m2v vob vro evo",
  "h264 264 avc h265 265 hevc ivf av1 obu vc1 mjpg mjpeg y4m gif apng",
);

function endings(...names: readonly string[]): ReadonlySet<string> {
  return new Set(names.flatMap((row) => row.split(" ")).map((name) => `.${name}`));
}

/** What sharp is let read: see decode-picture.ts. */
const PICTURE_ENDINGS = new Set([".jpg", ".jpeg", ".png"]);

export interface FoundInput {
  readonly path: string;
  /** Of the folder that was named to the folder of the file: "" for a file that was named itself. */
  readonly below: string;
}

/** A file of a folder that is left out because of its ending. */
export interface LeftOut {
  readonly folder: string;
  readonly path: string;
}

/**
 * Files in the order in which they were named, those of a folder by name. `isOwn` tells multibox's own outputs, which are left out.
 * `onLeftOut` gets every other file of a folder that is not taken.
 */
export async function findVideos(
  names: readonly string[],
  isOwn: (name: string) => boolean,
  onLeftOut: (file: LeftOut) => void = () => {},
): Promise<FoundInput[]> {
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
    const leftOut = (path: string): void => onLeftOut({ folder: name, path: relative(name, path) });
    for (const path of await list(name, VIDEO_ENDINGS, isOwn, leftOut))
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
  onLeftOut: (file: LeftOut) => void = () => {},
): Promise<FoundPicture[]> {
  const found: { path: string; name: string }[] = [];
  for (const name of names) {
    const stats = await stat(name).catch(() => undefined);
    if (!stats?.isDirectory()) {
      found.push({ path: name, name: basename(name) });
      continue;
    }
    const leftOut = (path: string): void => onLeftOut({ folder: name, path: relative(name, path) });
    const paths = await list(name, PICTURE_ENDINGS, isOwn, leftOut);
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

async function list(
  folder: string,
  taken: ReadonlySet<string>,
  isOwn: (name: string) => boolean,
  onLeftOut: (path: string) => void,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const paths: string[] = [];
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await list(path, taken, isOwn, onLeftOut)));
    else if (isOwn(path)) continue;
    else if (taken.has(extname(entry.name).toLowerCase())) paths.push(path);
    else onLeftOut(path);
  }
  return paths;
}

/** A sentence that names the first of these files, for each folder. */
export function leftOutWarnings(files: readonly LeftOut[], what: "video" | "image"): MultiboxError[] {
  return [...new Set(files.map(({ folder }) => folder))].map((folder) => {
    const paths = files.filter((file) => file.folder === folder).map(({ path }) => path);
    const rest = paths.length - LEFT_OUT_SHOWN;
    const shown = `${paths.slice(0, LEFT_OUT_SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    const count = countOf(paths.length, "file has", "files have");
    return new MultiboxError(
      "FILES_LEFT_OUT",
      `${folder}: ${count} no ending of ${what === "video" ? "a video" : "an image"} and ${paths.length === 1 ? "is" : "are"} left out: ${shown}. Name a file itself to have it read.`,
    );
  });
}

const LEFT_OUT_SHOWN = 5;

function nothingIn(folder: string, what: string, taken: ReadonlySet<string>): MultiboxError {
  const hint = `Of a folder these are taken: ${[...taken].join(" ")}.`;
  return new MultiboxError("FILE_NOT_FOUND", `There is no ${what} in ${folder}.`, hint);
}
