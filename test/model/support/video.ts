// The frames of a video as whole RGB pictures, converted by ffmpeg with care and not scaled.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RgbImage } from "../../../src/model/detection.ts";
import { findFfmpeg } from "../../../src/pipeline/find-ffmpeg.ts";

/** One frame after the other; ffmpeg waits while nobody asks for the next. */
export async function* rgbFrames(path: string, width: number, height: number): AsyncGenerator<RgbImage> {
  const { path: ffmpeg } = await findFfmpeg();
  const careful = ["-sws_flags", "accurate_rnd+full_chroma_int+bilinear", "-pix_fmt", "rgb24"];
  const args = ["-nostdin", "-v", "error", "-i", path, ...careful, "-f", "rawvideo", "pipe:1"];
  const child = spawn(ffmpeg, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    let data = new Uint8Array(width * height * 3);
    let filled = 0;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        const part = chunk.subarray(at, at + data.length - filled);
        data.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < data.length) continue;
        yield { format: "rgb24", width, height, data };
        data = new Uint8Array(data.length);
        filled = 0;
      }
    }
  } finally {
    child.kill();
    await exited;
  }
}
