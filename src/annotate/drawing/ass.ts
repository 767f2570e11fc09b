// Boxes as a subtitle track in ASS, which libass draws into a video, or a player over it, at any size.
import { sizeOf, type AnnotationHeader, type AnnotationLine } from "../annotation.ts";
import { indexIntervals, tickIntervals, type TickInterval } from "../intervals.ts";
import { oneLine } from "../writers/one-line.ts";
import { labelColours, TAG_TEXT } from "./label-colours.ts";
import { fitInto, layOut, strokesOn, tagStyleOf, type DrawnBox, type Rect, type Size, type Strokes } from "./layout.ts";

export interface AssOptions {
  /** Of the pictures as they are shown, before their pixels are made square. */
  readonly size: Size;
  readonly clock: TrackClock;
  /** Frames of another size than `size`: stretched to it, as players do with a track, or fitted into it between bars. */
  readonly fit: "stretch" | "bars";
}

export type TrackClock =
  | {
      /** Seconds of the source that the track's own time starts at. */
      readonly start: number;
      /** The track runs this many times slower: the format knows hundredths of a second, and frames may be closer together. */
      readonly slowness: number;
    }
  /** Frame n is shown from `n * secondsPerFrame` on, whatever its time is. */
  | { readonly secondsPerFrame: number };

/**
 * The track, in pieces; one event for all outlines of a colour and one for each tag. Format: the ASS specification
 * (http://www.tcax.org/docs/ass-specs.htm) and libass's reading of it. Drawings are filled by the non-zero rule, so that an
 * outline is a rectangle with a smaller one in it that turns the other way round.
 */
export async function* assTrack(
  header: AnnotationHeader,
  lines: AsyncIterable<AnnotationLine>,
  { size, clock, fit }: AssOptions,
): AsyncGenerator<string, void> {
  const strokes = strokesOn(size);
  yield fileHead(size, strokes);
  const intervals: AsyncIterable<TickInterval> =
    "secondsPerFrame" in clock
      ? indexIntervals(lines, HUNDREDTHS * clock.secondsPerFrame)
      : tickIntervals(header, lines, clock.start, HUNDREDTHS * clock.slowness);
  for await (const { line, from, to } of intervals) {
    if (to === from) continue;
    const source = sizeOf(header, line);
    const target = fit === "bars" ? fitInto(source, size) : { x: 0, y: 0, ...size };
    const events = eventsOf(line.detections, source, target, size, strokes);
    if (events.length > 0) yield events.map((event) => event(timeText(from), timeText(to))).join("");
  }
}

const HUNDREDTHS = 100;

type Event = (start: string, end: string) => string;

function eventsOf(
  detections: AnnotationLine["detections"],
  source: Size,
  target: Rect,
  size: Size,
  strokes: Strokes,
): Event[] {
  const picture = { x: 0, y: 0, ...size };
  const boxes = layOut(detections, source, target, tagStyleOf(strokes));
  const outlines = new Map<string, string[]>();
  for (const { label, rect } of boxes) {
    const colour = assColour(labelColours(label).fill);
    outlines.set(colour, [...(outlines.get(colour) ?? []), outline(rect, picture, strokes.line)]);
  }
  return [
    ...[...outlines].map(
      ([colour, paths]): Event =>
        (start, end) =>
          `Dialogue: 0,${start},${end},Box,,0,0,0,,{\\an7\\pos(0,0)\\1c${colour}\\p1}${paths.join(" ")}{\\p0}\n`,
    ),
    ...boxes.map((box): Event => tagEvent(box, strokes)),
  ];
}

function tagEvent({ label, tag }: DrawnBox, { padding }: Strokes): Event {
  const place = `${Math.round(tag.rect.x) + padding},${Math.round(tag.rect.y) + padding}`;
  const style = `{\\an7\\pos(${place})\\3c${assColour(labelColours(label).fill)}}`;
  return (start, end) => `Dialogue: 1,${start},${end},Tag,,0,0,0,,${style}${escapeText(tag.text)}\n`;
}

/** The line runs half inside and half outside of the box, but never leaves the picture. */
function outline(rect: Rect, picture: Rect, line: number): string {
  const [out, inward] = [Math.floor(line / 2), Math.ceil(line / 2)];
  const left = Math.max(Math.round(rect.x) - out, 0);
  const top = Math.max(Math.round(rect.y) - out, 0);
  const right = Math.min(Math.max(Math.round(rect.x + rect.width) + out, left + line), picture.width);
  const bottom = Math.min(Math.max(Math.round(rect.y + rect.height) + out, top + line), picture.height);
  const thick = out + inward;
  const ring = `m ${left} ${top} l ${right} ${top} ${right} ${bottom} ${left} ${bottom}`;
  const [l, t, r, b] = [left + thick, top + thick, right - thick, bottom - thick];
  return r > l && b > t ? `${ring} m ${l} ${t} l ${l} ${b} ${r} ${b} ${r} ${t}` : ring;
}

/** Braces and backslashes are commands in ASS: an invisible letter parts a backslash from what follows. */
function escapeText(text: string): string {
  return oneLine(text)
    .replaceAll("\\", "\\\u2060")
    .replaceAll(/[{}]/g, (brace) => `\\${brace}`);
}

/** `&HBBGGRR&` of `#rrggbb`. */
function assColour(hex: string): string {
  return `&H${hex.slice(5, 7)}${hex.slice(3, 5)}${hex.slice(1, 3)}&`.toUpperCase();
}

function timeText(hundredths: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const [hours, rest] = [Math.floor(hundredths / 360_000), hundredths % 360_000];
  return `${hours}:${two(rest / 6000)}:${two((rest % 6000) / 100)}.${two(rest % 100)}`;
}

/** A dark rim makes lines stand out on bright ground; BorderStyle 3 lays a box of the outline's colour under the text. */
function fileHead({ width, height }: Size, { font, padding, line }: Strokes): string {
  const fields =
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, " +
    "ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding";
  const rim = Math.max(1, Math.round(line / 3));
  const style = (name: string, colour: string, outlineColour: string, border: number, edge: number): string =>
    `Style: ${name},sans-serif,${font},${colour},${colour},${outlineColour},&H00000000,0,0,0,0,100,100,0,0,${border},${edge},0,7,0,0,0,1`;
  return [
    "[Script Info]",
    "; Boxes of multibox",
    "ScriptType: v4.00+",
    `PlayResX: ${width}`,
    `PlayResY: ${height}`,
    "WrapStyle: 2",
    "ScaledBorderAndShadow: yes",
    "YCbCr Matrix: None",
    "",
    "[V4+ Styles]",
    `Format: ${fields}`,
    style("Box", "&H00FFFFFF", "&H73000000", 1, rim),
    style("Tag", `&H00${assColour(TAG_TEXT).slice(2, 8)}`, "&H00FFFFFF", 3, padding),
    "",
    "[Events]",
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    "",
  ].join("\n");
}
