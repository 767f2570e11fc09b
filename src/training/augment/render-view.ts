// A view of a picture as the network's RGB, sampled as the model samples whole pictures.
import type { RgbImage } from "../../model/detection.ts";
import type { SsdSpec } from "../../model/spec.ts";
import { type Distortion, distortPixel } from "./distort-colours.ts";
import type { View } from "./view.ts";

/**
 * Writes `width * height * 3` bytes at `out[at]`. Where the view reaches beyond the picture there is the spec's mean colour, which is not
 * distorted.
 */
export function renderView(
  image: RgbImage,
  view: View,
  { width, height, resize, mean }: SsdSpec["input"],
  distortion: Distortion | undefined,
  out: Uint8Array,
  at = 0,
): void {
  const columns = axisTaps(image.width, view.left, view.width, width, resize);
  const rows = axisTaps(image.height, view.top, view.height, height, resize);
  const fill = mean.map((value) => Math.round(Math.min(255, Math.max(0, value))));
  for (let y = 0; y < height; y++) {
    const row = rows[y];
    for (let x = 0; x < width; x++) {
      const to = at + (y * width + (view.mirrored ? width - 1 - x : x)) * 3;
      const column = columns[x];
      if (!row || !column) {
        out.set(fill, to);
        continue;
      }
      const [left, right] = [column.first * 3, column.second * 3];
      const [above, below] = [row.first * image.width * 3, row.second * image.width * 3];
      for (let c = 0; c < 3; c++) {
        const top = mix(image.data[above + left + c]!, image.data[above + right + c]!, column.weight);
        const bottom = mix(image.data[below + left + c]!, image.data[below + right + c]!, column.weight);
        out[to + c] = Math.round(mix(top, bottom, row.weight));
      }
      if (distortion) distortPixel(out, to, distortion);
    }
  }
}

/** The two source pixels of an output pixel, and the share of the second. */
interface Tap {
  readonly first: number;
  readonly second: number;
  readonly weight: number;
}

/** Undefined for output pixels whose middle lies beyond the picture. */
function axisTaps(
  size: number,
  from: number,
  extent: number,
  count: number,
  resize: SsdSpec["input"]["resize"],
): (Tap | undefined)[] {
  const step = (extent * size) / count;
  return Array.from({ length: count }, (_, i) => {
    const middle = from * size + (i + 0.5) * step;
    if (middle < 0 || middle >= size) return undefined;
    const source = resize === "half-pixel" ? middle - 0.5 : from * size + i * step;
    const place = Math.min(size - 1, Math.max(0, source));
    const first = Math.floor(place);
    return { first, second: Math.min(size - 1, first + 1), weight: place - first };
  });
}

function mix(a: number, b: number, weight: number): number {
  return a + (b - a) * weight;
}
