// Paints a picture with its boxes on a canvas, in the device's own pixels.
import { labelColours, TAG_TEXT } from "../../annotate/drawing/label-colours.ts";
import { layOut, type DrawnBox, type Size } from "../../annotate/drawing/layout.ts";
import { contain, strokesFor } from "./overlay.ts";
import type { Detections } from "../protocol.ts";

const HALO = "rgb(0 0 0 / 55%)";

/** `space` in CSS pixels; `source` is the size that the boxes refer to, and gives the picture its shape. */
export function paint(
  canvas: HTMLCanvasElement,
  space: Size,
  bitmap: ImageBitmap,
  source: Size,
  detections: Detections["detections"],
): void {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context || space.width === 0 || space.height === 0) return;
  const ratio = globalThis.devicePixelRatio || 1;
  fit(canvas, Math.round(space.width * ratio), Math.round(space.height * ratio));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, space.width, space.height);
  const area = contain(source, space);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, area.x, area.y, area.width, area.height);

  const { line, font } = strokesFor(area.width);
  context.font = `600 ${font}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const widthOf = (text: string): number => context.measureText(text).width;
  const boxes = layOut(detections, source, area, { height: font + 5, padding: 4, widthOf });
  for (const box of boxes) drawBox(context, box, line);
  for (const box of boxes) drawTag(context, box);
}

function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  // Setting a canvas's size clears it, even to the same size.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function drawBox(context: CanvasRenderingContext2D, { rect, label }: DrawnBox, line: number): void {
  context.lineWidth = line + 1.5;
  context.strokeStyle = HALO;
  context.strokeRect(rect.x, rect.y, rect.width, rect.height);
  context.lineWidth = line;
  context.strokeStyle = labelColours(label).fill;
  context.strokeRect(rect.x, rect.y, rect.width, rect.height);
}

function drawTag(context: CanvasRenderingContext2D, { tag, label }: DrawnBox): void {
  context.fillStyle = labelColours(label).fill;
  context.fillRect(tag.rect.x, tag.rect.y, tag.rect.width, tag.rect.height);
  context.fillStyle = TAG_TEXT;
  context.fillText(tag.text, tag.rect.x + 4, tag.rect.y + tag.rect.height / 2 + 0.5);
}
