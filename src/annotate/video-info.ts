// Finds what a video is in what ffmpeg prints before its first picture: so it needs no second program and works on a pipe.
import { inputFormat } from "../pipeline/ffmpeg-lines.ts";
import type { Rational, VideoSource } from "./annotation.ts";

/** What ffmpeg says of the video stream that it decodes. */
export type VideoInfo = Pick<VideoSource, "rotation" | "codec" | "frameRate" | "duration" | "pixelAspect"> & {
  /** Where the file's clock begins, in seconds. */
  readonly start: number;
  /** As ffmpeg names it, the first of its names: `mpegts`. */
  readonly format?: string | undefined;
};

interface StreamWords {
  readonly number: string;
  readonly line: string;
  rotation: number;
}

const STREAM = /^\[info\] +Stream #0:(\d+).*?: Video: (\w+)/;

/**
 * Reads ffmpeg's lines until it has said what it decodes (`Stream #0:1 -> #0:0` under `Stream mapping:`), and which pictures come
 * out (`Output #0`); gives what it found once.
 */
export function createVideoInfoReader(): (line: string) => VideoInfo | undefined {
  const streams: StreamWords[] = [];
  let duration: number | undefined;
  let start = 0;
  let mapped: string | undefined;
  let format: string | undefined;
  return (line) => {
    format ??= inputFormat(line);
    const length = /^\[info\] +Duration: (?:(\d+):(\d+):([\d.]+)|N\/A)(?:, start: (-?[\d.]+))?/.exec(line);
    if (length) {
      const [, hours, minutes, seconds, begin] = length;
      if (hours !== undefined) duration = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
      start = Number(begin ?? 0);
    }
    const stream = mapped === undefined ? STREAM.exec(line) : undefined;
    if (stream) streams.push({ number: stream[1]!, line, rotation: 0 });
    const turned = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(line);
    // ffmpeg counts anticlockwise; a matrix that follows the output's lines is that of the output.
    if (turned && mapped === undefined && streams.length > 0) streams.at(-1)!.rotation = clockwise(Number(turned[1]));
    mapped ??= /^\[info\] +Stream #0:(\d+) -> #0:0/.exec(line)?.[1];
    if (!line.startsWith("[info] Output #0, ")) return undefined;
    const chosen = streams.find(({ number }) => number === mapped) ?? streams[0];
    return { ...(chosen ? describe(chosen) : { codec: "unknown", rotation: 0 }), duration, start, format };
  };
}

function describe({ line, rotation }: StreamWords): Omit<VideoInfo, "duration" | "start" | "format"> {
  const aspect = /\[?SAR (\d+):(\d+)/.exec(line)?.slice(1).map(Number) as [number, number] | undefined;
  const rate = /, ([\d.]+)(k?) fps\b/.exec(line);
  return {
    codec: STREAM.exec(line)![2]!,
    rotation,
    frameRate: rate ? rateOf(Number(rate[1]) * (rate[2] === "k" ? 1000 : 1)) : undefined,
    pixelAspect: aspect && aspect[0] > 0 && aspect[1] > 0 && aspect[0] !== aspect[1] ? aspect : undefined,
  };
}

/** ffmpeg prints two places: 29.97 stands for 30000/1001. */
function rateOf(printed: number): Rational | undefined {
  if (!(printed > 0)) return undefined;
  const ntsc = Math.round(printed * 1.001);
  if (!Number.isInteger(printed) && ntsc > 0 && Math.abs((ntsc * 1000) / 1001 - printed) < 0.006)
    return [ntsc * 1000, 1001];
  const hundredths = Math.round(printed * 100);
  const divisor = greatestDivisor(hundredths, 100);
  return [hundredths / divisor, 100 / divisor];
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

const clockwise = (degrees: number): number => ((-degrees % 360) + 360) % 360;
