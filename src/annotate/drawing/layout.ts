// Where boxes and their tags lie on a picture: numbers only, drawn elsewhere, by the page, into videos and onto pictures.
import type { Detection } from "../../model/detection.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

/** One detection in the pixels of what is drawn on. */
export interface DrawnBox {
  readonly label: string;
  readonly rect: Rect;
  readonly tag: { readonly text: string; readonly rect: Rect };
}

/** How tags are set: the height of one, the space left and right of its text, and how wide a text is. */
export interface TagStyle {
  readonly height: number;
  readonly padding: number;
  readonly widthOf: (text: string) => number;
}

/** What is drawn on a picture in its own pixels: lines, letters (their height, from the highest to the lowest) and the space around them. */
export interface Strokes {
  readonly line: number;
  readonly font: number;
  readonly padding: number;
}

/** Whole pixels, so that lines are sharp; by the shorter side, because a video may stand upright. */
export function strokesOn({ width, height }: Size): Strokes {
  const side = Math.min(width, height);
  const font = Math.max(12, Math.round(side / 36));
  return { line: Math.max(2, Math.round(side / 270)), font, padding: Math.max(2, Math.round(font / 5)) };
}

/**
 * Tags on a picture in its own pixels. Nobody can measure a text here, so its width is estimated from above: in DejaVu Sans, which is wide,
 * letters take half of their height on average; those of East Asia take all of it.
 */
export function tagStyleOf({ font, padding }: Strokes): TagStyle {
  return {
    height: font + 2 * padding,
    padding,
    widthOf: (text) => Math.ceil(text.replaceAll(WIDE, "xx").length * font * 0.54),
  };
}

const WIDE = /[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff01-\uff60]/g;

/** Boxes in drawing order, the surest last and so on top; the surest also chooses first where its tag goes. */
export function layOut(detections: readonly Detection[], source: Size, target: Rect, style: TagStyle): DrawnBox[] {
  const sorted = [...detections].sort((a, b) => b.score - a.score);
  const rects = sorted.map(({ bbox }) => mapBox(bbox, source, target));
  const placed: Rect[] = [];
  const boxes = sorted.map(({ label, score }, index) => {
    const rect = rects[index]!;
    const text = `${label} ${score.toFixed(2)}`;
    const size = { width: style.widthOf(text) + 2 * style.padding, height: style.height };
    const tag = placeTag(rect, size, target, rects, placed);
    placed.push(tag);
    return { label, rect, tag: { text, rect: tag } };
  });
  return boxes.reverse();
}

/** `[x, y, width, height]` in source pixels -> a rectangle inside the drawn picture. */
export function mapBox(bbox: Detection["bbox"], source: Size, target: Rect): Rect {
  const [sx, sy] = [target.width / source.width, target.height / source.height];
  const left = clamp(bbox[0] * sx, 0, target.width);
  const top = clamp(bbox[1] * sy, 0, target.height);
  const right = clamp((bbox[0] + bbox[2]) * sx, left, target.width);
  const bottom = clamp((bbox[1] + bbox[3]) * sy, top, target.height);
  return { x: target.x + left, y: target.y + top, width: right - left, height: bottom - top };
}

/** Where ffmpeg's `scale` with `force_original_aspect_ratio=decrease` and `pad` put an image: in the middle, at even places. */
export function fitInto({ width, height }: Size, into: Size): Rect {
  const size = {
    width: Math.min(Math.round((into.height * width) / height), into.width),
    height: Math.min(Math.round((into.width * height) / width), into.height),
  };
  const even = (room: number): number => 2 * Math.floor(room / 4);
  return { x: even(into.width - size.width), y: even(into.height - size.height), ...size };
}

/** A covered tag cannot be read, a covered box can still be made out. */
const TAG_WEIGHT = 4;

/** Of the places around and inside its box the one where a tag covers least; the first of equals. */
function placeTag(box: Rect, tag: Size, picture: Rect, boxes: readonly Rect[], placed: readonly Rect[]): Rect {
  const covered = (place: Rect): number =>
    boxes.reduce((sum, other) => sum + overlap(place, other), 0) +
    placed.reduce((sum, other) => sum + TAG_WEIGHT * overlap(place, other), 0);
  const [left, right] = [box.x, box.x + box.width - tag.width];
  const [above, below, bottom] = [box.y - tag.height, box.y + box.height, box.y + box.height - tag.height];
  const wished: [number, number][] = [
    [left, above],
    [right, above],
    [left, below],
    [right, below],
    [left, box.y],
    [left, bottom],
  ];
  const places = wished.map(([x, y]) => ({
    x: clamp(x, picture.x, Math.max(picture.x, picture.x + picture.width - tag.width)),
    y: clamp(y, picture.y, Math.max(picture.y, picture.y + picture.height - tag.height)),
    ...tag,
  }));
  const costs = places.map(covered);
  return places[costs.indexOf(Math.min(...costs))]!;
}

/** The area that two rectangles share. */
function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
