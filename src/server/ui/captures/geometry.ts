// Boxes under the pointer: what is under a point, and what a drag makes of it. In pixels of the image.
import type { Size } from "../../../annotate/drawing/layout.ts";

export type EditBox = readonly [x: number, y: number, width: number, height: number];
export type Point = readonly [x: number, y: number];

/** What of a box is held: a side or corner by its compass point, or all of it. */
export type Handle = "n" | "s" | "w" | "e" | "nw" | "ne" | "sw" | "se" | "body";

/** Smaller boxes are slips of the hand. */
export const SMALLEST = 3;

/** The box that a click selects: the smallest under the point. */
export function boxUnder(boxes: readonly EditBox[], point: Point, reach: number): number | undefined {
  const under = boxes
    .map((box, index) => ({ index, area: box[2] * box[3], handle: handleAt(box, point, reach) }))
    .filter(({ handle }) => handle !== undefined)
    .sort((a, b) => a.area - b.area);
  return under[0]?.index;
}

/** What of a box is under the point; `reach`: how near counts as on a side. */
export function handleAt([x, y, width, height]: EditBox, [px, py]: Point, reach: number): Handle | undefined {
  if (px < x - reach || px > x + width + reach || py < y - reach || py > y + height + reach) return undefined;
  // The sides of a small box would leave nothing to move it by.
  const [sideX, sideY] = [Math.min(reach, width / 4), Math.min(reach, height / 4)];
  const vertical = py <= y + sideY ? "n" : py >= y + height - sideY ? "s" : "";
  const horizontal = px <= x + sideX ? "w" : px >= x + width - sideX ? "e" : "";
  return ((vertical + horizontal) as Handle) || "body";
}

/** The box after its handle was dragged by so much. It stays inside of the image, and never turns over. */
export function dragged(box: EditBox, handle: Handle, [dx, dy]: Point, picture: Size): EditBox {
  const [x, y, width, height] = box;
  if (handle === "body") {
    return [clamp(x + dx, 0, picture.width - width), clamp(y + dy, 0, picture.height - height), width, height];
  }
  let [left, top, right, bottom] = [x, y, x + width, y + height];
  if (handle.includes("w")) left = clamp(left + dx, 0, right - SMALLEST);
  if (handle.includes("e")) right = clamp(right + dx, left + SMALLEST, picture.width);
  if (handle.includes("n")) top = clamp(top + dy, 0, bottom - SMALLEST);
  if (handle.includes("s")) bottom = clamp(bottom + dy, top + SMALLEST, picture.height);
  return [left, top, right - left, bottom - top];
}

/** The box between two corners; undefined when it is too small to be meant. */
export function boxBetween([ax, ay]: Point, [bx, by]: Point, picture: Size): EditBox | undefined {
  const [left, right] = [clamp(Math.min(ax, bx), 0, picture.width), clamp(Math.max(ax, bx), 0, picture.width)];
  const [top, bottom] = [clamp(Math.min(ay, by), 0, picture.height), clamp(Math.max(ay, by), 0, picture.height)];
  return right - left < SMALLEST || bottom - top < SMALLEST ? undefined : [left, top, right - left, bottom - top];
}

/** A box in the middle of the image, a quarter of its sides: what the keyboard draws, to be moved and sized by arrows. */
export function middleBox({ width, height }: Size): EditBox {
  return [Math.round(width * 0.375), Math.round(height * 0.375), Math.round(width / 4), Math.round(height / 4)];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
