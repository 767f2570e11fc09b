// What an ffmpeg was built with: builds differ much in their encoders and filters.
import { captureProcess } from "./capture-process.ts";
import type { Ffmpeg } from "./find-ffmpeg.ts";

/** The names that `ffmpeg -encoders` or `ffmpeg -filters` lists. */
export async function ffmpegLists(ffmpeg: Ffmpeg, kind: "encoders" | "filters"): Promise<ReadonlySet<string>> {
  const stdout = (await captureProcess(ffmpeg.path, ["-hide_banner", "-v", "error", `-${kind}`])).toString();
  // ` V....D libx264   libx264 H.264 ...` and ` ... ass   V->V   Render ...`
  return new Set([...stdout.matchAll(/^ [A-Z.]{2,6} ([^\s=]+)/gm)].map((match) => match[1]!));
}
