// The tiling: where each default box lies (SSD paper, section 2.2, "Choosing scales and aspect ratios for default boxes").
import type { SsdSpec } from "./spec.ts";

/**
 * All default boxes of a spec as `[cx, cy, width, height]`, shares of the input's sides, `boxCount(spec) * 4` floats.
 * Order: map, row, column, box of the cell, which is the order of the network's outputs. Centres are at `(i + 0.5) / f`, or at
 * `(i + 0.5) * step` pixels where the spec says so: the released models' maps do not divide the input evenly.
 */
export function defaultBoxes(spec: SsdSpec): Float32Array {
  const boxes = new Float32Array(boxCount(spec) * 4);
  const { width, height } = spec.input;
  const side = (share: number): number => (spec.clipBoxes ? Math.min(share, 1) : share);
  let at = 0;
  for (const { cells, step, boxes: shapes } of spec.maps) {
    const [across, down] = step ? [step / width, step / height] : [1 / cells, 1 / cells];
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        for (const { scale, ratio } of shapes) {
          boxes[at++] = (column + 0.5) * across;
          boxes[at++] = (row + 0.5) * down;
          boxes[at++] = side(scale * Math.sqrt(ratio));
          boxes[at++] = side(scale / Math.sqrt(ratio));
        }
      }
    }
  }
  return boxes;
}

/** How many default boxes the tiling has. */
export function boxCount(spec: SsdSpec): number {
  return spec.maps.reduce((sum, map) => sum + map.cells * map.cells * map.boxes.length, 0);
}
