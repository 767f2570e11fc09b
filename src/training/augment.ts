// Other pictures of the same objects, for training (SSD paper, section 2.2, "Data augmentation", and the zoom-out of its later release).
import type { RgbImage } from "../model/detection.ts";
import { random } from "../model/random.ts";
import type { SsdSpec } from "../model/spec.ts";
import { drawDistortion } from "./augment/distort-colours.ts";
import { drawPatch, drawZoomOut, type Reach } from "./augment/patches.ts";
import { renderView } from "./augment/render-view.ts";
import { mirror, truthsIn, within } from "./augment/view.ts";
import type { Target } from "./match.ts";

/** What a form of a picture is drawn by. */
export interface Drawn extends Reach {
  readonly seed: number;
}

/**
 * Distorts colours, zooms out now and then, samples a patch of what that gives, and mirrors it half of the time; then the network's RGB is
 * sampled at once. Writes `width * height * 3` bytes at `out[at]` and returns the truths whose centres are in it, in shares of its sides. The
 * same seed does the same.
 */
export function augment(
  image: RgbImage,
  targets: readonly Target[],
  input: SsdSpec["input"],
  { seed, ...reach }: Drawn,
  out: Uint8Array,
  at = 0,
): Target[] {
  const next = random(seed);
  const distortion = drawDistortion(next);
  const canvas = drawZoomOut(next, reach);
  const onCanvas = truthsIn(targets, canvas);
  const patch = drawPatch(onCanvas, next, reach);
  const mirrored = next() < 0.5;
  renderView(image, { ...within(canvas, patch), mirrored }, input, distortion, out, at);
  const seen = truthsIn(onCanvas, patch);
  return mirrored ? mirror(seen) : seen;
}
