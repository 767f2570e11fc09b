// The demo: a short video of slow pans over three photos, made once by ffmpeg and kept in the cache folder.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeError } from "./model/bundle.ts";
import { fetchNpmPackage, type NpmPackage } from "./npm-package.ts";
import { runFfmpegToFile } from "./pipeline/ffmpeg.ts";
import { findFfmpeg } from "./pipeline/find-ffmpeg.ts";

/** MIT-licensed pictures; the package is only downloaded, never installed. */
const PICTURES: NpmPackage = {
  name: "opencv@7.0.0",
  integrity: "sha512-JfMKMaYvnDGwah6i3w6FRHjpToRHZrZbcDX9N3CjaxWHPlE0ScNwnCzoJkEQKve34mvd9GCLhs4Hr37UdVVg/A==",
  bytes: 5_519_397,
};
const FILES = ["car1.jpg", "car2.jpg", "mona.png"];
const SECONDS_A_PICTURE = 10 / FILES.length;
const FPS = 25;
// MPEG-4 part 2 is in every ffmpeg, H.264 is not.
const ENCODER = ["-c:v", "mpeg4", "-q:v", "3", "-g", String(FPS), "-pix_fmt", "yuv420p", "-movflags", "+faststart"];

/** The path of the clip, which is made on first use. Fails as fetching and running ffmpeg do, and with DISK_FULL. */
export async function demoClip(cacheDir: string, onProgress?: (done: number, total: number) => void): Promise<string> {
  const clip = demoClipPath(cacheDir);
  if (existsSync(clip)) return clip;
  await mkdir(join(cacheDir, "demo"), { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "demo", "fetch-"));
  try {
    await fetchNpmPackage(PICTURES, folder, onProgress);
    const draft = join(folder, "cars.mp4");
    await runFfmpegToFile({
      ffmpeg: await findFfmpeg(),
      inputs: FILES.map((file) => ({
        url: join(folder, "examples/files", file),
        options: ["-loop", "1", "-framerate", String(FPS), "-t", String(SECONDS_A_PICTURE)],
      })),
      outputOptions: ["-filter_complex", panFilter(), "-map", "[all]", ...ENCODER],
      output: draft,
    });
    await rename(draft, clip);
  } catch (error) {
    throw writeError(error, cacheDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return clip;
}

/** Where the clip is, or will be. */
export function demoClipPath(cacheDir: string): string {
  return join(cacheDir, "demo", "cars.mp4");
}

/** Each picture fills 1280 x 720 with some to spare, and the window slides over the rest; then one after the other. */
function panFilter(): string {
  const share = `t/${SECONDS_A_PICTURE}`;
  const pans = FILES.map((_, i) => {
    const along = i % 2 === 0 ? share : `(1-${share})`;
    const fill = "scale=1472:828:force_original_aspect_ratio=increase,setsar=1";
    return `[${i}:v]${fill},crop=1280:720:x='(iw-ow)*${along}':y='(ih-oh)*${along}'[pan${i}]`;
  });
  return `${pans.join(";")};${FILES.map((_, i) => `[pan${i}]`).join("")}concat=n=${FILES.length}:v=1[all]`;
}
