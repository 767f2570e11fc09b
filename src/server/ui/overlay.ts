// How a picture fills its space on the page, and how thick its lines are there.
import type { Rect, Size } from "../../annotate/drawing/layout.ts";

/** The largest rectangle with the picture's shape that fits the space, centred. */
export function contain(picture: Size, space: Size): Rect {
  const scale = Math.min(space.width / picture.width, space.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (space.width - width) / 2, y: (space.height - height) / 2, width, height };
}

/** Lines and letters that grow with the picture, within what is readable and what does not cover it. */
export function strokesFor(width: number): { readonly line: number; readonly font: number } {
  return { line: clamp(width / 450, 1.5, 3), font: Math.round(clamp(width / 42, 10, 14)) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
