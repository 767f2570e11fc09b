// What ffmpeg is told so that every frame of a file comes out once, with its own time, in the file's own clock.
import { FILE_INPUT, fileOutputs } from "../pipeline/file-clock.ts";
import { fileConfinement } from "../pipeline/file-formats.ts";
import type { Ffmpeg } from "../pipeline/find-ffmpeg.ts";

export interface DecodeOptions {
  readonly path: string;
  readonly ffmpeg: Ffmpeg;
  /** 0: as many as ffmpeg thinks right. */
  readonly decodeThreads: number;
  /** Nothing else is decoded. */
  readonly keyframes?: boolean | undefined;
}

export function inputArguments({ path, ffmpeg, decodeThreads, keyframes }: DecodeOptions): string[] {
  return [
    ...fileConfinement(path === "-" ? "pipe" : undefined),
    // What is damaged is gone on behind, however much of it there is; ffmpeg 4 does not give up.
    ...(ffmpeg.syncOption === "-vsync" ? [] : ["-max_error_rate", "1"]),
    ...(decodeThreads > 0 ? ["-threads", String(decodeThreads)] : []),
    ...(keyframes ? ["-skip_frame", "nokey"] : []),
    "-copyts",
    ...FILE_INPUT,
  ];
}

/**
 * Raw frames, each with its own size and its time as it stands in the file: `passthrough` neither doubles nor drops any, and a time base
 * of -1 is the file's own. Rotation is applied, the shape of pixels left alone; what has more bits is brought to eight.
 */
export const outputArguments = ({ ffmpeg }: DecodeOptions): string[] => fileOutputs(ffmpeg.syncOption);
