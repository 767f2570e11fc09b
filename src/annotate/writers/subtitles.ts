// What is on the screen as words, a subtitle for as long as they stay the same: WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip.
import type { FrameLine } from "../annotation.ts";
import type { Annotations } from "../annotation-file.ts";
import type { ConvertContext } from "../format.ts";
import { tickIntervals } from "../intervals.ts";
import { mediaStart } from "../media.ts";
import { oneLine } from "./one-line.ts";
import { textFormat } from "./text-writer.ts";

export const vttFormat = textFormat({
  name: "vtt",
  title: "WebVTT, labels as subtitles",
  suffix: ".vtt",
  endings: [".vtt"],
  only: "video",
  async *pieces(annotations, context) {
    yield "WEBVTT\n";
    for await (const { from, to, text } of cues(annotations, context))
      yield `\n${clock(from, ".")} --> ${clock(to, ".")}\n${vttText(text)}\n`;
  },
});

export const srtFormat = textFormat({
  name: "srt",
  title: "SubRip, labels as subtitles",
  suffix: ".srt",
  endings: [".srt"],
  only: "video",
  async *pieces(annotations, context) {
    let number = 0;
    for await (const { from, to, text } of cues(annotations, context)) {
      number += 1;
      yield `${number}\n${clock(from, ",")} --> ${clock(to, ",")}\n${srtText(text)}\n\n`;
    }
  },
});

interface Cue {
  /** Milliseconds from the video's start, which players count from. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const MILLISECONDS = 1000;

async function* cues({ header, lines }: Annotations, context: ConvertContext): AsyncGenerator<Cue, void> {
  const zero = await mediaStart(context);
  let cue: Cue | undefined;
  for await (const { line, from, to } of tickIntervals(header, lines(), zero, MILLISECONDS)) {
    const text = words(line.detections);
    if (cue && cue.text === text && cue.to === from) {
      cue = { ...cue, to };
      continue;
    }
    if (cue && cue.text !== "" && cue.to > cue.from) yield cue;
    cue = { from, to, text };
  }
  if (cue && cue.text !== "" && cue.to > cue.from) yield cue;
}

/** `2 person, car`, the most numerous first, then by the alphabet. */
function words(detections: FrameLine["detections"]): string {
  const counts = new Map<string, number>();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return oneLine(sorted.map(([label, count]) => (count === 1 ? label : `${count} ${label}`)).join(", "));
}

/** The references that players know; of HTML's others ffmpeg knows none. */
function vttText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * SubRip has no escapes: an invisible character (U+2060) takes tags, line breaks and the arrow their meaning. Braces, between which
 * players hide everything, are written full-width.
 */
function srtText(text: string): string {
  return text
    .replaceAll("\\", "\\\u2060")
    .replaceAll(/<(?=[a-z/!])/gi, "<\u2060")
    .replaceAll("{", "\uff5b")
    .replaceAll("}", "\uff5d")
    .replaceAll("-->", "--\u2060>");
}

/** `01:02:03.004` */
function clock(ms: number, point: string): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const seconds = Math.floor(ms / 1000);
  const rest = String(ms % 1000).padStart(3, "0");
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}${point}${rest}`;
}
