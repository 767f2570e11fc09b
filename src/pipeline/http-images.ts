// Cameras over HTTP that ffmpeg does not play by itself: MJPEG whose parts it refuses, addresses that answer with one image a request, and HLS
// whose segments have no extension that it expects.
import type { FfmpegExit } from "./ffmpeg.ts";
import { schemeOf, type StreamConfig } from "./stream.ts";

/** What was found out about a source; kept over its runs. */
export interface SourceReading {
  /**
   * `jpegs`: whatever stands between the images is skipped. `snapshots`: the address is asked again and again. `hls`: segments of any name.
   * `usual`: none of them helped.
   */
  as?: "jpegs" | "snapshots" | "hls" | "usual" | undefined;
  /** It has given images in this way. */
  works?: boolean;
  /** Runs without an image since then, or runs in the usual way. */
  runs?: number;
}

/** A source that gave images, and gives none in this number of runs, has changed. */
const MOST_EMPTY_RUNS = 5;
/** What showed a page while it started may be a camera later. */
const USUAL_RUNS = 20;

/** A snapshot address is asked once a second, or `maxFps` times, within these bounds. */
const SLOWEST = 0.1;
const FASTEST = 5;

/** ffmpeg's options before those of its protocols. */
export function readingOptions({ as }: SourceReading, { maxFps = 1 }: StreamConfig): string[] {
  if (as === "jpegs") return ["-f", "mjpeg", "-use_wallclock_as_timestamps", "1"];
  if (as === "hls") return ["-f", "hls", "-extension_picky", "0"];
  if (as !== "snapshots") return [];
  const rate = String(Math.min(FASTEST, Math.max(SLOWEST, maxFps)));
  return ["-f", "image2", "-pattern_type", "none", "-loop", "1", "-framerate", rate, "-re"];
}

/**
 * After a run in the usual way: notes how the next one is to read the source, and gives what it sends, or undefined where nothing is known to
 * help. ffmpeg names a part's type or a missing boundary; of a stream without its first boundary it only says that the data is invalid.
 */
export function learnReading(
  reading: SourceReading,
  { url }: Pick<StreamConfig, "url">,
  { code, stderrTail }: Pick<FfmpegExit, "code" | "stderrTail">,
  { decoded, isChecked }: { readonly decoded: number; readonly isChecked: boolean },
): string | undefined {
  if (reading.as === "usual") {
    reading.runs = (reading.runs ?? 0) + 1;
    if (reading.runs >= USUAL_RUNS) Object.assign(reading, FRESH);
  }
  const scheme = schemeOf(url);
  if (reading.as !== undefined || (scheme !== "http" && scheme !== "https")) return undefined;
  const has = (pattern: RegExp): boolean => stderrTail.some((line) => pattern.test(line));
  if (code === 0 && decoded === 1 && has(/Input #0, (?:image2|jpeg_pipe|png_pipe),/)) {
    // What asks again opens its address without the proxy that checks it.
    if (isChecked) return undefined;
    Object.assign(reading, FRESH, { as: "snapshots" });
    return "sends one image and ends; it is asked for images again and again from now on";
  }
  // ffmpeg from 7.1.1 on; those that complain have the option. Files stay out by the list of protocols.
  if (decoded === 0 && has(/is not in allowed(?:_segment)?_extensions/)) {
    Object.assign(reading, FRESH, { as: "hls" });
    return "is HLS whose segments have no usual extension; segments of any name are read from now on";
  }
  const isOdd = has(/\[mpjpeg @ \w+\] \[error\]|Input #0, mpjpeg,|Invalid data found when processing input/);
  if (decoded > 1 || !isOdd) return undefined;
  Object.assign(reading, FRESH, { as: "jpegs" });
  return "sends MJPEG whose parts ffmpeg refuses, or no video; it is read as a row of JPEGs from now on";
}

/** After a run in a way that was learnt: whether the next one does the same. */
export function judgeReading(reading: SourceReading, decoded: number): void {
  if (reading.as === "usual") return;
  if (decoded > 0) return void Object.assign(reading, { works: true, runs: 0 });
  reading.runs = (reading.runs ?? 0) + 1;
  if (!reading.works || reading.runs >= MOST_EMPTY_RUNS) Object.assign(reading, FRESH, { as: "usual" });
}

const FRESH: SourceReading = { as: undefined, works: false, runs: 0 };
