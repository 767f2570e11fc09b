// Where the tests find ffmpeg: FFMPEG_PATH, else PATH, else the optional npm package that ships one.
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

/** The path of an ffmpeg; throws where there is none. */
export function findFfmpeg(): string {
  if (process.env.FFMPEG_PATH) return process.env.FFMPEG_PATH;
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "ffmpeg"))
    .find(isExecutable);
  if (onPath !== undefined) return onPath;
  // The package brings no types, and is absent on platforms that it has no binary for.
  const shipped = createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { readonly path: string };
  return shipped.path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
