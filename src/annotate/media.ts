// What ffmpeg says of a file when it opens it: where its clock starts, and what streams there are to be kept.
import { resolve } from "node:path";
import { MultiboxError } from "../errors.ts";
import { runFfmpeg } from "../pipeline/ffmpeg.ts";
import { fileConfinement } from "../pipeline/file-formats.ts";
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";
import type { ConvertContext } from "./format.ts";

export interface MediaStream {
  readonly kind: "video" | "audio" | "subtitle" | "data" | "attachment";
  /** As ffmpeg names it: `aac`. */
  readonly codec: string;
  /** A cover, and no film. */
  readonly cover: boolean;
  /** The rest of what ffmpeg says: profile, pixel format, size. */
  readonly details: string;
}

export interface Media {
  /** Seconds; players call this 0, and so does ffmpeg when it copies. */
  readonly start: number;
  /** In the file's order. */
  readonly streams: readonly MediaStream[];
}

/** Asks without decoding. Fails with MEDIA_UNREADABLE, or as ffmpeg's start does. */
export async function probeMedia(ffmpeg: Ffmpeg, path: string): Promise<Media> {
  const lines: string[] = [];
  const { stderrTail } = await runFfmpeg({
    ffmpeg,
    inputs: [{ url: fileUrl(path), options: fileConfinement() }],
    outputOptions: ["-map", "0:V:0", "-t", "0", "-c", "copy", "-f", "null"],
    output: "-",
    onLine: (line) => lines.push(line),
  }).done;
  const media = parseMedia(lines);
  if (media) return media;
  const why = stderrTail.at(-1) ?? "ffmpeg said nothing";
  throw new MultiboxError("MEDIA_UNREADABLE", `${path} is nothing that ffmpeg can open: ${why}.`);
}

/** Where the clock of the converted video starts, 0 where nobody can tell. */
export async function mediaStart({ video, ffmpeg }: ConvertContext): Promise<number> {
  return video === undefined || ffmpeg === undefined ? 0 : (await probeMedia(ffmpeg, video)).start;
}

/** A path as ffmpeg takes it, whatever is in it. */
export const fileUrl = (path: string): string => `file:${resolve(path)}`;

/** Reads ffmpeg's lines about its first input; undefined where there are none. */
export function parseMedia(lines: readonly string[]): Media | undefined {
  const from = lines.findIndex((line) => line.includes("Input #0,"));
  if (from < 0) return undefined;
  const until = lines.findIndex((line, i) => i > from && /^\[info\] (Stream mapping|Output #)/.test(line));
  const mine = lines.slice(from, until < 0 ? undefined : until);
  const start = mine
    .map((line) => /Duration: .*, start: (-?[\d.]+)/.exec(line)?.[1])
    .find((text) => text !== undefined);
  const streams = mine.flatMap((line) => {
    const [, kind, codec, details] = STREAM.exec(line) ?? [];
    if (kind === undefined) return [];
    const cover = details!.includes("(attached pic)");
    return [{ kind: kind.toLowerCase() as MediaStream["kind"], codec: codec!, cover, details: details! }];
  });
  return { start: Number(start ?? 0), streams };
}

/** `Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz` */
const STREAM = /^\[info\]\s+Stream #0:\d+\S*: (Video|Audio|Subtitle|Data|Attachment): ([^\s,]+)(.*)$/;
