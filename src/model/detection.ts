// The vocabulary of the house: pictures in, detections out, and the one box convention.

/**
 * `[x, y, width, height]` in pixels of the source picture, floats, origin at the top left, as COCO writes boxes.
 * `0 <= x <= x + width <= picture width`, and the same for y.
 */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** Intersection over union: 0 where boxes only touch, 1 where they are the same. */
export function iou(a: Box, b: Box): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  const shared = across * down;
  return shared / (a[2] * a[3] + b[2] * b[3] - shared);
}

/** One object found in one picture. */
export interface Detection {
  readonly bbox: Box;
  /** 0..1 */
  readonly score: number;
  readonly label: string;
  /** The label's id in the data set that the model was trained on (COCO: 1..90, with gaps). */
  readonly classId: number;
}

/** Interleaved RGB, 8 bits a channel: `data.length === width * height * 3`. */
export interface RgbImage {
  readonly format: "rgb24";
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** How luma and chroma make RGB: ITU-R BT.601 (SD), BT.709 (HD) or BT.2020 (UHD), and whether black is 16 or 0. */
export interface ColourTags {
  readonly matrix: "bt601" | "bt709" | "bt2020";
  readonly fullRange: boolean;
}

/**
 * Planar YUV 4:2:0 as decoders make it: the Y plane of `width * height`, then U and V of
 * `ceil(width / 2) * ceil(height / 2)` each, rows without padding.
 */
export interface YuvImage {
  readonly format: "yuv420p";
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly colour: ColourTags;
}

export type Picture = RgbImage | YuvImage;

/** Bytes of a picture of this size and format. */
export function pictureBytes(format: Picture["format"], width: number, height: number): number {
  if (format === "rgb24") return width * height * 3;
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}
