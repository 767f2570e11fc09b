// From a box to the offsets that a network learns, and back (SSD paper, section 2.2, "Training objective", equation 2).

/** `[cx, cy, width, height]`, shares of the picture's sides. */
export type CentreBox = readonly [cx: number, cy: number, width: number, height: number];
/** What the network predicts for a default box: shifts in shares of its size, and logarithms of size ratios, over variances. */
export type Offsets = readonly [x: number, y: number, width: number, height: number];
export type Variances = readonly [x: number, y: number, width: number, height: number];

// An untrained or broken head can predict any number; exp of it must stay finite. torchvision clamps there too.
export const MAX_LOG_RATIO = Math.log(1000);

/** The offsets that turn `defaultBox` into `box`. */
export function encode(box: CentreBox, defaultBox: CentreBox, variances: Variances): Offsets {
  return [
    (box[0] - defaultBox[0]) / defaultBox[2] / variances[0],
    (box[1] - defaultBox[1]) / defaultBox[3] / variances[1],
    Math.log(box[2] / defaultBox[2]) / variances[2],
    Math.log(box[3] / defaultBox[3]) / variances[3],
  ];
}

/**
 * Decodes box `index` of flat arrays, `[dx, dy, dw, dh]` offsets and `[cx, cy, w, h]` default boxes, into `[x1, y1, x2, y2]`
 * at `out[at]`, shares of the picture's sides, not clipped. Flat because it runs for each candidate of each picture.
 */
export function decodeInto(
  out: Float32Array,
  at: number,
  offsets: Float32Array,
  offsetsAt: number,
  boxes: Float32Array,
  boxesAt: number,
  variances: Variances,
): void {
  const width = boxes[boxesAt + 2]! * Math.exp(Math.min(offsets[offsetsAt + 2]! * variances[2], MAX_LOG_RATIO));
  const height = boxes[boxesAt + 3]! * Math.exp(Math.min(offsets[offsetsAt + 3]! * variances[3], MAX_LOG_RATIO));
  const cx = boxes[boxesAt]! + offsets[offsetsAt]! * variances[0] * boxes[boxesAt + 2]!;
  const cy = boxes[boxesAt + 1]! + offsets[offsetsAt + 1]! * variances[1] * boxes[boxesAt + 3]!;
  out[at] = cx - width / 2;
  out[at + 1] = cy - height / 2;
  out[at + 2] = cx + width / 2;
  out[at + 3] = cy + height / 2;
}
