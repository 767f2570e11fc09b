// The tiling: where each default box lies (SSD paper, section 2.2, "Choosing scales and aspect ratios for default boxes").
import { boxCount, type SsdSpec } from "./spec.ts";

/**
 * All default boxes of a spec as `[cx, cy, width, height]`, shares of the input's sides, `boxCount(spec) * 4` floats.
 * Order: map, row, column, box of the cell, which is the order of the network's outputs. Centres are at `(i + 0.5) / f`.
 */
export function defaultBoxes(spec: SsdSpec): Float32Array {
  const boxes = new Float32Array(boxCount(spec) * 4);
  let at = 0;
  for (const map of spec.maps) {
    for (let row = 0; row < map.cells; row++) {
      for (let column = 0; column < map.cells; column++) {
        for (const { scale, ratio } of map.boxes) {
          boxes[at++] = (column + 0.5) / map.cells;
          boxes[at++] = (row + 0.5) / map.cells;
          boxes[at++] = scale * Math.sqrt(ratio);
          boxes[at++] = scale / Math.sqrt(ratio);
        }
      }
    }
  }
  return boxes;
}
