// Boxes on a video whose clock jumps or whose image size changes: each frame is found by its number, and fitted into the first size.
import type { FrameLine, VideoSource } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";

/** What a boxed video has to care for; found in its lines. */
export async function isOdd({ lines }: Pick<Annotations, "lines">): Promise<boolean> {
  let last = Number.NEGATIVE_INFINITY;
  for await (const line of lines()) {
    const { sourcePts, width, pts } = line as FrameLine;
    if (sourcePts !== undefined || width !== undefined || pts === last) return true;
    last = pts;
  }
  return false;
}

/** While libass draws, frame n has a time between n and n + 1 times this: far more than a step of any clock. */
export const SECONDS_PER_FRAME = 1000;
/** The first frame's time may be below 0. */
const BIAS = 100;

const ticks = (seconds: number): string => `floor(${seconds}/TB)`;
const frameTime = `N*${ticks(SECONDS_PER_FRAME)}`;

/**
 * Before libass: the first size for all frames, and times that are numbers of frames plus the step from the frame before. Steps back are
 * replaced by the last step, as in file-clock.ts; ffmpeg corrects jumps ahead itself, for sound and images at once.
 */
export const beforeDrawing = ({ width, height }: Pick<VideoSource, "width" | "height">): readonly string[] => [
  `scale=${width}:${height}:force_original_aspect_ratio=decrease:eval=frame:flags=bicubic`,
  `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:eval=frame`,
  [
    "setpts='",
    `st(2,if(isnan(PTS),ld(0),PTS));st(3,if(eq(N,0),ld(2)+${ticks(BIAS)},if(lt(ld(2),ld(0)),ld(1),ld(2)-ld(0))));`,
    `if(gt(N,0)*gt(ld(3),0),st(1,ld(3)),0);st(0,ld(2));${frameTime}+clip(ld(3),0,${ticks(SECONDS_PER_FRAME - 1)})'`,
  ].join(""),
];

/** Behind libass: the sum of all steps. Encoders refuse two frames of one time, so a second one is a tick later. */
export const afterDrawing: readonly string[] = [
  [
    `setpts='st(0,ld(0)+PTS-${frameTime}-if(eq(N,0),${ticks(BIAS)},0));`,
    "st(1,if(eq(N,0),ld(0),max(ld(1)+1,ld(0))));ld(1)'",
  ].join(""),
];
