// What ffmpeg is told so that every frame of a file comes out once, with its own time, in the file's own clock.
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

/**
 * NUT cannot hold times below 0, which some files begin with, and would shift all of them; so its clock runs ahead by a number of
 * seconds that is whole in every time base, and this is taken off again.
 */
export const AHEAD_SECONDS = 1_000_000;

export function inputArguments({ path, ffmpeg, decodeThreads, keyframes }: DecodeOptions): string[] {
  return [
    ...fileConfinement(path === "-" ? "pipe" : undefined),
    // What is damaged is gone on behind, however much of it there is; ffmpeg 4 does not give up.
    ...(ffmpeg.syncOption === "-vsync" ? [] : ["-max_error_rate", "1"]),
    ...(decodeThreads > 0 ? ["-threads", String(decodeThreads)] : []),
    ...(keyframes ? ["-skip_frame", "nokey"] : []),
    "-copyts",
  ];
}

/**
 * Raw pictures, each with its time as it stands in the file: `passthrough` neither doubles nor drops any, and a time base of -1 is
 * the file's own. Rotation is applied, the shape of pixels left alone; what has more bits is brought to eight.
 */
export function outputArguments({ ffmpeg }: DecodeOptions): string[] {
  return [
    ..."-map 0:V:0 -an -sn -dn".split(" "),
    ffmpeg.syncOption,
    ..."passthrough -enc_time_base -1 -c:v rawvideo -threads 1 -pix_fmt yuv420p".split(" "),
    ...`-f nut -write_index 0 -avoid_negative_ts disabled -output_ts_offset ${AHEAD_SECONDS}`.split(" "),
  ];
}
