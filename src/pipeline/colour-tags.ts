// Finds the colours of ffmpeg's output in what it prints: raw video in NUT does not carry them.
import type { ColourTags } from "../model/detection.ts";

/** What swscale and OpenCV take an untagged picture for. */
export const UNTAGGED: ColourTags = { matrix: "bt601", fullRange: false };

const VIDEO = /^(?:\[info\] )?\s*Stream #0:\d+.*?: Video: .*?, (\w+)(?:\((.*?)\))?, \d+x\d+/;

/**
 * Reads ffmpeg's stderr line by line until it has described its output, which it does before the first picture:
 * `Output #0, nut, to 'pipe:1':` and then `Stream #0:0: Video: rawvideo (I420 / 0x30323449), yuv420p(tv, bt709), 64x48`.
 * ffmpeg 4 does not tag its output; there the input's tags are what it has converted from.
 */
export function createColourReader(): (line: string) => ColourTags | undefined {
  let input: ColourTags | undefined;
  let inOutput = false;
  return (line) => {
    if (/^(?:\[info\] )?Output #0, /.test(line)) inOutput = true;
    const video = VIDEO.exec(line);
    if (!video) return inOutput && line.includes(": Video: ") ? (input ?? UNTAGGED) : undefined;
    const [, format, tags] = video;
    // Rows that carry the frames' widths, see file-clock.ts.
    if (inOutput && format === "gray") return undefined;
    if (inOutput) return tags === undefined ? (input ?? UNTAGGED) : coloursOf(tags);
    // Any other format than yuv420p is converted, and that gives limited range; yuvj is full range by name.
    input ??= { ...coloursOf(tags ?? ""), ...(format === "yuv420p" ? {} : { fullRange: false }) };
    return undefined;
  };
}

/** `tv, bt2020nc/bt2020/smpte2084, progressive`: the range, then matrix / primaries / transfer, one word if all agree. */
function coloursOf(tags: string): ColourTags {
  const words = tags.split(", ").map((word) => word.split("/")[0]!);
  const matrix = words.some((word) => /^bt2020n?c$/.test(word))
    ? "bt2020"
    : words.some((word) => word === "bt709" || word === "smpte240m")
      ? "bt709"
      : "bt601";
  return { matrix, fullRange: words.includes("pc") };
}
