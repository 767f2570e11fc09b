// Whether a file is a video, before anything is promised: its first picture is decoded, and what it says of itself is read.
import { resolve } from "node:path";
import { Writable } from "node:stream";
import { createVideoInfoReader, type VideoInfo } from "../../annotate/video-info.ts";
import { MultiboxError } from "../../errors.ts";
import { runFfmpeg } from "../../pipeline/ffmpeg.ts";
import { fileConfinement } from "../../pipeline/file-formats.ts";
import type { Ffmpeg } from "../../pipeline/find-ffmpeg.ts";
import type { Guard } from "../../pipeline/guard.ts";
import { checkFile } from "../../pipeline/source-input.ts";
import { refusalOf, sourceError } from "../../pipeline/source-error.ts";
import type { JobOptions } from "./job-schemas.ts";

export interface CheckTools {
  readonly ffmpeg: Ffmpeg;
  readonly guard: Guard;
}

const TIMEOUT_MS = 30_000;

/** Fails with FILE_NOT_FOUND, FILE_NOT_READABLE, STREAM_EMPTY, STREAM_NOT_VIDEO or what else ffmpeg finds. `name` stands for the path in what is said. */
export async function checkVideo(path: string, name: string, tools: CheckTools): Promise<VideoInfo> {
  try {
    await checkFile(path);
    return await firstPicture(path, name, tools);
  } catch (cause) {
    if (!(cause instanceof MultiboxError)) throw cause;
    throw new MultiboxError(cause.code, cause.message.replaceAll(path, name), cause.hint, { cause });
  }
}

async function firstPicture(path: string, name: string, { ffmpeg, guard }: CheckTools): Promise<VideoInfo> {
  const readInfo = createVideoInfoReader();
  let info: VideoInfo | undefined;
  let refusal: MultiboxError | undefined;
  let text = "";
  const config = { id: name, url: path, loop: false, transport: "tcp" } as const;
  const handle = runFfmpeg({
    ffmpeg,
    guard,
    maxMemoryMb: 2048,
    inputs: [
      {
        url: `file:${resolve(path)}`,
        options: [...fileConfinement(), "-threads", "1"],
      },
    ],
    // A line for each picture.
    outputOptions: "-map 0:V:0 -an -sn -dn -frames:v 1 -f framecrc".split(" "),
    output: new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        text += chunk.toString();
        done();
      },
    }),
    onLine: (line) => {
      refusal ??= refusalOf(config, line);
      info ??= readInfo(line);
    },
  });
  const timer = setTimeout(() => handle.stop(), TIMEOUT_MS);
  const exit = await handle.done.finally(() => clearTimeout(timer));
  const decoded = text.split("\n").filter((line) => /^\d/.test(line)).length;
  const error = refusal ?? (decoded > 0 ? undefined : sourceError(config, exit, decoded));
  if (error) throw error;
  return info ?? { codec: "unknown", rotation: 0, start: 0 };
}

/** About how many frames will be looked at; undefined where the file does not say enough. */
export function expectedFrames({ duration, frameRate }: VideoInfo, options: JobOptions): number | undefined {
  const { every = 1, fps = Infinity, start = 0, end = Infinity, keyframes } = options;
  if (keyframes || duration === undefined || !frameRate) return undefined;
  const seconds = Math.max(0, Math.min(duration, end) - start);
  const rate = frameRate[0] / frameRate[1];
  return Math.max(1, Math.ceil(Math.round(seconds * Math.min(rate, fps)) / every));
}
