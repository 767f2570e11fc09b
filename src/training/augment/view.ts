// A part of a picture as training sees it: a rectangle that may reach beyond the picture, perhaps mirrored, and the truths in it.
import type { CentreBox } from "../../model/box-coder.ts";
import type { Target } from "../match.ts";

/** In shares of the picture's sides; beyond 0..1 there is nothing but the mean colour. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface View extends Rectangle {
  readonly mirrored: boolean;
}

export const WHOLE: Rectangle = { left: 0, top: 0, width: 1, height: 1 };

/** A rectangle within another one, which it is given in shares of. */
export function within(outer: Rectangle, inner: Rectangle): Rectangle {
  return {
    left: outer.left + inner.left * outer.width,
    top: outer.top + inner.top * outer.height,
    width: inner.width * outer.width,
    height: inner.height * outer.height,
  };
}

/** The truths whose centres are in the rectangle, cut to it, in shares of its sides (SSD paper, section 2.2, "Data augmentation"). */
export function truthsIn(targets: readonly Target[], patch: Rectangle): Target[] {
  return targets
    .filter(({ box }) => holdsCentre(patch, box))
    .map((target) => ({ ...target, box: cut(target.box, patch) }));
}

export function holdsCentre({ left, top, width, height }: Rectangle, [cx, cy]: CentreBox): boolean {
  return cx > left && cx < left + width && cy > top && cy < top + height;
}

export function mirror(targets: readonly Target[]): Target[] {
  return targets.map((target) => {
    const [cx, cy, width, height] = target.box;
    return { ...target, box: [1 - cx, cy, width, height] };
  });
}

/** Intersection over union. */
export function overlap({ left, top, width, height }: Rectangle, [cx, cy, w, h]: CentreBox): number {
  const across = Math.min(left + width, cx + w / 2) - Math.max(left, cx - w / 2);
  const down = Math.min(top + height, cy + h / 2) - Math.max(top, cy - h / 2);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (width * height + w * h - across * down);
}

function cut([cx, cy, w, h]: CentreBox, { left, top, width, height }: Rectangle): CentreBox {
  const share = (value: number, from: number, size: number): number => Math.min(1, Math.max(0, (value - from) / size));
  const [x1, x2] = [share(cx - w / 2, left, width), share(cx + w / 2, left, width)];
  const [y1, y2] = [share(cy - h / 2, top, height), share(cy + h / 2, top, height)];
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
}
