// Files that are no videos, or no longer whole ones.
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ffmpeg } from "./ffmpeg.ts";

/** Makes the file of this name in a folder; `good` is a video to spoil. */
export async function makeBadFile(folder: string, name: string, good: string): Promise<string> {
  const path = join(folder, name);
  await write(path, name, good);
  return path;
}

async function write(path: string, name: string, good: string): Promise<void> {
  const cut = async (share: number): Promise<void> => {
    await truncate(path, Math.floor((await readFile(path)).length * share));
  };
  switch (name) {
    case "notes.txt":
      return writeFile(path, "This is not a video.\n".repeat(200));
    case "photo.jpg":
    case "photo.mp4":
      return void (await ffmpeg("-i", good, "-frames:v 1 -f mjpeg", path));
    case "sound.wav":
      return void (await ffmpeg("-f lavfi -i sine=d=0.2", path));
    case "noise.mp4":
      return writeFile(
        path,
        Buffer.from(Uint32Array.from({ length: 5000 }, (_, i) => (i * 2_654_435_761) >>> 0).buffer),
      );
    case "no-index.mp4":
      await ffmpeg("-t 1 -i", good, "-c copy", path);
      return cut(0.7);
    case "cut.mp4":
      await ffmpeg("-t 1 -i", good, "-c copy -movflags +faststart", path);
      return cut(0.7);
    case "cut.avi":
      await ffmpeg("-t 1 -i", good, "-c copy", path);
      return cut(0.7);
    case "no-frame.avi":
      return void (await ffmpeg("-i", good, "-frames:v 0 -c:v mpeg4", path));
    default:
      return writeFile(path, "");
  }
}
