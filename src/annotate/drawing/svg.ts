// Boxes as an SVG that is laid over a picture.
import type { Detection } from "../../model/detection.ts";
import { labelColours, TAG_TEXT } from "./label-colours.ts";
import { type DrawnBox, layOut, type Size, strokesOn, type Strokes, tagStyleOf } from "./layout.ts";
import { xmlText } from "../writers/xml.ts";

/** Of the picture's own size. Looks as boxes in videos do: a line with a dark rim, a tag of the line's colour. */
export function svgOverlay(detections: readonly Detection[], size: Size): string {
  const strokes = strokesOn(size);
  const boxes = layOut(detections, size, { x: 0, y: 0, ...size }, tagStyleOf(strokes));
  const { width, height } = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    ...boxes.map((box) => outline(box, strokes)),
    ...boxes.map((box) => tag(box, strokes)),
    "</svg>",
  ].join("\n");
}

function outline({ rect, label }: DrawnBox, { line }: Strokes): string {
  const rim = line + 2 * Math.max(1, Math.round(line / 3));
  const place = `x="${rect.x}" y="${rect.y}" width="${rect.width}" height="${rect.height}" fill="none"`;
  return `<rect ${place} stroke="#000" stroke-opacity="0.55" stroke-width="${rim}"/><rect ${place} stroke="${labelColours(label).fill}" stroke-width="${line}"/>`;
}

function tag({ tag: { rect, text }, label }: DrawnBox, { font, padding }: Strokes): string {
  const [x, y] = [Math.round(rect.x), Math.round(rect.y)];
  // The baseline: of a letter's height a bit less than a quarter lies below it. DejaVu's em is 6/7 of that height.
  const base = y + padding + font * 0.79;
  const words = `<text x="${x + padding}" y="${base}" font-family="DejaVu Sans, sans-serif" font-size="${font * 0.859}" fill="${TAG_TEXT}">${xmlText(text)}</text>`;
  return `<rect x="${x}" y="${y}" width="${rect.width}" height="${rect.height}" fill="${labelColours(label).fill}"/>${words}`;
}
