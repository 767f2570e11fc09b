// Tiles of an image: that they cover it and overlap, that parts are the image's own pixels, and that an object counts once.
import { describe, expect, it } from "vitest";
import { type Box, type Detection, iou, type RgbImage } from "../../src/model/detection.ts";
import type { Detector } from "../../src/model/detector.ts";
import { cropOf, detectInTiles, tilesOf } from "../../src/model/tiles.ts";
import { fc } from "../support/fast-check.ts";

const GREY = 128;

/** Squares of white on grey. */
function imageOf(width: number, height: number, squares: readonly Box[]): RgbImage {
  const data = new Uint8Array(width * height * 3).fill(GREY);
  for (const [left, top, w, h] of squares)
    for (let y = top; y < top + h; y++) data.fill(255, (y * width + left) * 3, (y * width + left + w) * 3);
  return { format: "rgb24", width, height, data };
}

/** Finds the box around each run of columns with white pixels, in the image that it is given; smaller images are seen better. */
function whiteFinder(maxBatch = 2): Detector & { readonly seen: { width: number; height: number }[] } {
  const seen: { width: number; height: number }[] = [];
  const detect: Detector["detect"] = (images) => {
    const detections = (images as RgbImage[]).map(({ width, height, data }): Detection[] => {
      seen.push({ width, height });
      const isWhite = (x: number, y: number): boolean => data[(y * width + x) * 3] === 255;
      const columns = Array.from({ length: width }, (_, x) => Array.from({ length: height }, (__, y) => isWhite(x, y)));
      const boxes: Detection[] = [];
      for (let x = 0; x < width; x++) {
        if (!columns[x]!.includes(true) || (x > 0 && columns[x - 1]!.includes(true))) continue;
        let end = x;
        while (end < width && columns[end]!.includes(true)) end += 1;
        const run = columns.slice(x, end);
        const top = Math.min(...run.map((column) => column.indexOf(true)));
        const bottom = Math.max(...run.map((column) => column.lastIndexOf(true))) + 1;
        boxes.push({ bbox: [x, top, end - x, bottom - top], score: 1 - width / 1000, label: "white", classId: 1 });
      }
      return boxes;
    });
    return Promise.resolve({ detections, inferMs: 0 });
  };
  const info = { model: { name: "white", version: "1" }, labels: ["white"], engine: "none", reason: "a test" };
  return { info, slots: 1, maxBatch, detect, warmUp: () => Promise.resolve(), close: () => Promise.resolve(), seen };
}

describe("tilesOf", () => {
  it("covers every pixel with tiles of one size that lie within the image and overlap by about a fifth", () => {
    const side = fc.integer({ min: 1, max: 4000 });
    const count = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(side, side, count, count, (width, height, columns, rows) => {
        const tiles = tilesOf(width, height, { columns, rows });
        expect(tiles).toHaveLength(columns * rows);
        for (const tile of tiles) {
          expect([tile.width, tile.height]).toEqual([tiles[0]!.width, tiles[0]!.height]);
          expect(tile.x >= 0 && tile.x + tile.width <= width && tile.y >= 0 && tile.y + tile.height <= height).toBe(
            true,
          );
        }
        const across = tiles.slice(0, columns);
        expect(across.at(-1)!.x + tiles[0]!.width).toBe(width);
        for (const [i, tile] of across.slice(1).entries())
          expect(tile.x - across[i]!.x).toBeLessThanOrEqual(Math.max(1, Math.ceil(tile.width * 0.8) + 1));
        expect(tiles.at(-1)!.y + tiles[0]!.height).toBe(height);
      }),
    );
  });
});

describe("detectInTiles", () => {
  it("gives each object once, at its place in the image, also those on the border of tiles and those larger than a tile", async () => {
    const squares: Box[] = [
      [4, 4, 6, 6],
      [56, 40, 8, 8],
      [100, 70, 12, 12],
    ];
    const finder = whiteFinder();
    const found = await detectInTiles(finder, imageOf(120, 90, squares), { columns: 2, rows: 2 });
    expect(found.map(({ bbox }) => bbox).toSorted((a, b) => a[0] - b[0])).toEqual(squares);
    // The whole image, and four tiles.
    expect(finder.seen).toHaveLength(5);
    // The one that a tile shows larger has the tile's score.
    expect(found[0]!.score).toBeGreaterThan(1 - 120 / 1000);
    const wide: Box = [10, 40, 100, 10];
    const [only, ...others] = await detectInTiles(whiteFinder(), imageOf(120, 90, [wide]), { columns: 2, rows: 2 });
    expect([only!.bbox, others]).toEqual([wide, []]);
  });

  it("looks at the whole image alone for a grid of one tile", async () => {
    const finder = whiteFinder();
    const found = await detectInTiles(finder, imageOf(50, 40, [[5, 5, 9, 9]]), { columns: 1, rows: 1 });
    expect([found.length, finder.seen]).toEqual([1, [{ width: 50, height: 40 }]]);
  });

  it("keeps neighbours of one label and overlapping objects of two", async () => {
    const detector = whiteFinder(8);
    const a = { bbox: [0, 0, 10, 10], score: 0.9, label: "a", classId: 1 } as const;
    const b = { bbox: [0, 0, 10, 10], score: 0.8, label: "b", classId: 2 } as const;
    const c = { bbox: [6, 0, 10, 10], score: 0.7, label: "a", classId: 1 } as const;
    const detect: Detector["detect"] = (images) =>
      Promise.resolve({ detections: images.map((_, i) => (i === 0 ? [c, b, a, a] : [])), inferMs: 0 });
    const found = await detectInTiles({ ...detector, detect }, imageOf(40, 40, []), { columns: 2, rows: 1 });
    expect(found).toEqual([a, b, c]);
    expect(iou(a.bbox, c.bbox)).toBeLessThan(0.5);
  });
});

it("cropOf copies the pixels of the part", () => {
  const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => i);
  const part = cropOf({ format: "rgb24", width: 5, height: 4, data }, { x: 2, y: 1, width: 2, height: 2 });
  expect([...part.data]).toEqual([21, 22, 23, 24, 25, 26, 36, 37, 38, 39, 40, 41]);
});
