// Augmentation: boxes of typed-out cases, what is drawn, and that boxes stay on what they are of.
import { describe, expect, test } from "vitest";
import type { RgbImage } from "../../src/model/detection.ts";
import { random } from "../../src/model/random.ts";
import { createSampler } from "../../src/model/sample.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { distortPixel, drawDistortion } from "../../src/training/augment/distort-colours.ts";
import { drawPatch, drawZoomOut, PAPER_REACH } from "../../src/training/augment/patches.ts";
import { renderView } from "../../src/training/augment/render-view.ts";
import { holdsCentre, mirror, overlap, truthsIn, WHOLE, within } from "../../src/training/augment/view.ts";
import { augment } from "../../src/training/augment.ts";
import type { Target } from "../../src/training/match.ts";
import { worstDifference } from "../model/support/differences.ts";
import { drawPicture } from "../model/support/pictures.ts";

const { input } = SSDLITE_MOBILENET_V2;
const target = (cx: number, cy: number, width: number, height: number): Target => ({
  box: [cx, cy, width, height],
  label: 1,
});
const near = (targets: readonly Target[]): number[][] =>
  targets.map(({ box }) => box.map((value) => Math.round(value * 1e6) / 1e6));

describe("views", () => {
  test("truths are in shares of the patch, cut to it, and gone where their centre is outside", () => {
    const patch = { left: 0.5, top: 0, width: 0.5, height: 0.5 };
    const truths = [target(0.75, 0.25, 0.2, 0.1), target(0.6, 0.25, 0.4, 0.2), target(0.45, 0.25, 0.4, 0.2)];
    expect(near(truthsIn(truths, patch))).toEqual([
      [0.5, 0.5, 0.4, 0.2],
      // From 0.4, of which what is left of the patch is cut off, to 0.8.
      [0.3, 0.5, 0.6, 0.4],
    ]);
  });

  test("on a canvas of twice the size a truth is half as large", () => {
    const canvas = { left: -0.5, top: -1, width: 2, height: 2 };
    expect(near(truthsIn([target(0.5, 0.5, 1, 1)], canvas))).toEqual([[0.5, 0.75, 0.5, 0.5]]);
    expect(within(canvas, { left: 0.25, top: 0.5, width: 0.5, height: 0.5 })).toEqual(WHOLE);
  });

  test("mirrored truths change sides and keep their size", () => {
    expect(near(mirror([target(0.2, 0.3, 0.1, 0.4)]))).toEqual([[0.8, 0.3, 0.1, 0.4]]);
  });

  test("IoU of a patch and a truth", () => {
    expect(overlap({ left: 0, top: 0, width: 0.5, height: 1 }, [0.5, 0.5, 0.5, 1])).toBeCloseTo(1 / 3, 12);
    expect(overlap({ left: 0, top: 0, width: 0.2, height: 1 }, [0.5, 0.5, 0.5, 1])).toBe(0);
  });
});

describe("drawn patches", () => {
  const truths = [target(0.4, 0.45, 0.6, 0.7), target(0.8, 0.7, 0.1, 0.1)];

  test("lie in the picture, have sizes of 0.1 to 1 and ratios of 1/2 to 2, and hold the centre of a truth", () => {
    const next = random(1);
    const patches = Array.from({ length: 500 }, () => drawPatch(truths, next, PAPER_REACH));
    for (const { left, top, width, height } of patches) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(1 + 1e-12);
      expect(Math.sqrt(width * height)).toBeGreaterThanOrEqual(0.1);
      expect(Math.abs(Math.log2(width / height))).toBeLessThanOrEqual(1 + 1e-9);
    }
    expect(patches.every((patch) => truths.some(({ box }) => holdsCentre(patch, box)))).toBe(true);
    const whole = patches.filter((patch) => patch === WHOLE).length;
    // A seventh, and what is drawn when nothing fits.
    expect(whole).toBeGreaterThan(50);
    expect(whole).toBeLessThan(200);
    const overlapping = patches.filter((patch) => truths.some(({ box }) => overlap(patch, box) >= 0.7));
    expect(overlapping.length).toBeGreaterThan(20);
  });

  test("neither further nor smaller than is asked", () => {
    const next = random(5);
    const reach = { zoomOut: 0, leastPatch: 0.6 };
    const patches = Array.from({ length: 100 }, () => drawPatch(truths, next, reach));
    expect(Math.min(...patches.map(({ width, height }) => Math.sqrt(width * height)))).toBeGreaterThanOrEqual(0.6);
    expect(Array.from({ length: 100 }, () => drawZoomOut(next, reach)).every((canvas) => canvas === WHOLE)).toBe(true);
  });

  test("a picture without truths has patches too, and a crowd asks for nothing", () => {
    const next = random(2);
    expect(Array.from({ length: 20 }, () => drawPatch([], next, PAPER_REACH)).some((patch) => patch !== WHOLE)).toBe(
      true,
    );
    const crowd = { ...target(0.5, 0.5, 0.01, 0.01), ignored: true };
    const patches = Array.from({ length: 50 }, () => drawPatch([crowd], next, PAPER_REACH));
    expect(patches.some((patch) => !holdsCentre(patch, crowd.box))).toBe(true);
  });

  test("zooming out: half of the time, up to four times the sides, with the whole picture on the canvas", () => {
    const next = random(3);
    const canvases = Array.from({ length: 400 }, () => drawZoomOut(next, PAPER_REACH));
    const zoomed = canvases.filter((canvas) => canvas !== WHOLE);
    expect(Math.abs(zoomed.length - 200)).toBeLessThan(40);
    for (const { left, top, width, height } of zoomed) {
      expect(width).toBe(height);
      expect(width).toBeLessThanOrEqual(4);
      expect(Math.max(left, top)).toBeLessThanOrEqual(0);
      expect(Math.min(left + width, top + height)).toBeGreaterThanOrEqual(1);
    }
    expect(Math.max(...zoomed.map(({ width }) => width))).toBeGreaterThan(3.5);
  });
});

describe("colours", () => {
  const distorted = (rgb: number[], distortion: Partial<Parameters<typeof distortPixel>[2]>): number[] => {
    const bytes = Uint8Array.from(rgb);
    distortPixel(bytes, 0, { contrastFirst: true, ...distortion });
    return [...bytes];
  };

  test("brightness, contrast, saturation and hue of one pixel", () => {
    expect(distorted([10, 100, 250], { brightness: 20 })).toEqual([30, 120, 255]);
    expect(distorted([10, 100, 250], { contrast: 0.5 })).toEqual([5, 50, 125]);
    expect(distorted([200, 100, 100], { saturation: 0.5 })).toEqual([200, 150, 150]);
    expect(distorted([200, 0, 0], { hue: 60 })).toEqual([200, 200, 0]);
    expect(distorted([200, 0, 0], { hue: -60 })).toEqual([200, 0, 200]);
    expect(distorted([90, 90, 90], { hue: 17, saturation: 1.4 })).toEqual([90, 90, 90]);
    expect(distorted([12, 34, 56], {})).toEqual([12, 34, 56]);
  });

  test("contrast before saturation, or behind it", () => {
    const both = { contrast: 1.5, saturation: 0.5 };
    expect(distorted([200, 100, 100], { ...both, contrastFirst: true })).toEqual([255, 203, 203]);
    expect(distorted([200, 100, 100], { ...both, contrastFirst: false })).toEqual([255, 225, 225]);
  });

  test("each is drawn half of the time, within its limits", () => {
    const next = random(4);
    const drawn = Array.from({ length: 400 }, () => drawDistortion(next));
    for (const [key, least, most] of [
      ["brightness", -32, 32],
      ["contrast", 0.5, 1.5],
      ["saturation", 0.5, 1.5],
      ["hue", -18, 18],
    ] as const) {
      const values = drawn.flatMap((one) => one[key] ?? []);
      expect(Math.abs(values.length - 200)).toBeLessThan(50);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...values)).toBeLessThanOrEqual(most);
    }
  });
});

describe("pictures", () => {
  test.each(["asymmetric", "half-pixel"] as const)("the whole view is what the model samples, %s", (resize) => {
    const image = drawPicture(417, 283, 1);
    const [ours, theirs] = [new Uint8Array(300 * 300 * 3), new Uint8Array(300 * 300 * 3)];
    renderView(image, { ...WHOLE, mirrored: false }, { ...input, resize }, undefined, ours);
    createSampler({ ...input, resize })(image, theirs, 0);
    expect(worstDifference(ours, theirs)).toBeLessThanOrEqual(1);
  });

  test("beyond the picture there is the mean, whatever is done to the colours", () => {
    const image = drawPicture(50, 40, 2);
    const out = new Uint8Array(300 * 300 * 3);
    const view = { left: -1, top: -1, width: 2, height: 2, mirrored: true };
    renderView(image, view, input, { brightness: 30, contrastFirst: true }, out);
    expect([...out.subarray(0, 3)]).toEqual([128, 128, 128]);
    // Mirrored: the picture is at the lower left.
    expect([...out.subarray((299 * 300 + 299) * 3)]).toEqual([128, 128, 128]);
    expect([...out.subarray(299 * 300 * 3, 299 * 300 * 3 + 3)]).not.toEqual([128, 128, 128]);
  });

  test("boxes stay on what they are of: a red square is where its box says, in many views", () => {
    const image = redSquare(200, 150, { x: 70, y: 40, width: 60, height: 50 });
    const truth = target((70 + 30) / 200, (40 + 25) / 150, 60 / 200, 50 / 150);
    const out = new Uint8Array(300 * 300 * 3);
    let seen = 0;
    for (let seed = 0; seed < 60; seed++) {
      const [found] = augment(image, [truth], input, { ...PAPER_REACH, seed }, out);
      if (!found) continue;
      seen += 1;
      const red = redBounds(out);
      const [cx, cy, width, height] = found.box.map((share) => share * 300) as [number, number, number, number];
      for (const [i, edge] of [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2].entries()) {
        // A patch of a tenth of the picture has 15 of its pixels over 300, which edges blur over.
        expect(Math.abs(edge - red[i]!)).toBeLessThan(20);
      }
    }
    expect(seen).toBe(60);
  });

  test("the same seed does the same, another one something else", () => {
    const image = drawPicture(200, 150, 3);
    const [a, b, c] = [1, 1, 2].map((seed) => {
      const out = new Uint8Array(300 * 300 * 3);
      return { truths: augment(image, [target(0.5, 0.5, 0.5, 0.5)], input, { ...PAPER_REACH, seed }, out), out };
    });
    expect(a!.truths).toEqual(b!.truths);
    expect(Buffer.compare(a!.out, b!.out)).toBe(0);
    expect(Buffer.compare(a!.out, c!.out)).not.toBe(0);
  });
});

function redSquare(
  width: number,
  height: number,
  square: { x: number; y: number; width: number; height: number },
): RgbImage {
  const data = new Uint8Array(width * height * 3).fill(100);
  for (let y = square.y; y < square.y + square.height; y++)
    for (let x = square.x; x < square.x + square.width; x++) data.set([250, 20, 20], (y * width + x) * 3);
  return { format: "rgb24", width, height, data };
}

/** Left, top, right, bottom of what is more red than anything else, in pixels. */
function redBounds(rgb: Uint8Array): [number, number, number, number] {
  const bounds: [number, number, number, number] = [300, 300, 0, 0];
  for (let i = 0; i < 300 * 300; i++) {
    const [r, g, b] = [rgb[i * 3]!, rgb[i * 3 + 1]!, rgb[i * 3 + 2]!];
    if (r - Math.max(g, b) < 30) continue;
    const [x, y] = [i % 300, Math.floor(i / 300)];
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x + 1);
    bounds[3] = Math.max(bounds[3], y + 1);
  }
  return bounds;
}
