// What an ffmpeg was built with: builds differ much in their encoders and filters.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Ffmpeg } from "./find-ffmpeg.ts";

/** The names that `ffmpeg -encoders` or `ffmpeg -filters` lists. */
export async function ffmpegLists(ffmpeg: Ffmpeg, kind: "encoders" | "filters"): Promise<ReadonlySet<string>> {
  const options = { windowsHide: true, maxBuffer: 1 << 22 };
  const { stdout } = await promisify(execFile)(ffmpeg.path, ["-hide_banner", "-v", "error", `-${kind}`], options);
  // ` V....D libx264   libx264 H.264 ...` and ` ... ass   V->V   Render ...`
  return new Set([...stdout.matchAll(/^ [A-Z.]{2,6} ([^\s=]+)/gm)].map((match) => match[1]!));
}
