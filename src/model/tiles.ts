// Small objects in large images: the same network looks at the whole image and at tiles of it, each as large as its input.
import { type Box, type Detection, iou, type RgbImage } from "./detection.ts";
import type { Detector } from "./detector.ts";

/** How many tiles lie beside and above each other; one of each is the whole image alone. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** Most tiles on one side; more are smaller than what a detector was trained on. */
export const MOST_TILES = 8;

/** `3x2`, columns and rows; undefined where it is no such text, or where a side has none or more than `MOST_TILES`. */
export function parseGrid(text: string): Grid | undefined {
  const [, columns = "", rows = ""] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  const grid = { columns: Number(columns), rows: Number(rows) };
  return Object.values(grid).every((count) => count >= 1 && count <= MOST_TILES) ? grid : undefined;
}

/** A tile in whole pixels of the image. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Share of a tile's side that the next one repeats, so that an object on the border of one lies within the other. */
const OVERLAP = 0.2;
/** Boxes of one object from two tiles overlap at least so much. */
const SAME_OBJECT = 0.5;
/** A box this near to a border that is not the image's is of an object that the tile cuts. In shares of the tile's side. */
const BORDER = 0.01;

/** Tiles of equal size that cover the image, row by row. Sides are rounded up, and the last tiles end with the image. */
export function tilesOf(width: number, height: number, { columns, rows }: Grid): Tile[] {
  const [across, down] = [startsOf(width, columns), startsOf(height, rows)];
  return down.starts.flatMap((y) => across.starts.map((x) => ({ x, y, width: across.side, height: down.side })));
}

function startsOf(side: number, count: number): { readonly starts: readonly number[]; readonly side: number } {
  const tile = Math.min(side, Math.ceil(side / (count - (count - 1) * OVERLAP)));
  const step = count === 1 ? 0 : (side - tile) / (count - 1);
  return { starts: Array.from({ length: count }, (_, i) => Math.round(i * step)), side: tile };
}

/** A copy of a part of the image, which lies within it. */
export function cropOf({ width, data }: RgbImage, tile: Tile): RgbImage {
  const row = tile.width * 3;
  const part = new Uint8Array(row * tile.height);
  for (let y = 0; y < tile.height; y++) {
    const at = ((tile.y + y) * width + tile.x) * 3;
    part.set(data.subarray(at, at + row), y * row);
  }
  return { format: "rgb24", width: tile.width, height: tile.height, data: part };
}

/**
 * Detections on the whole image and on its tiles, in pixels of the image, best score first. Of a tile those count that its inner borders
 * do not cut; of detections of one label that overlap by an intersection over union of at least 0.5 the best one counts. Fails as the
 * detector does.
 */
export async function detectInTiles(detector: Detector, image: RgbImage, grid: Grid): Promise<Detection[]> {
  const whole: Tile = { x: 0, y: 0, width: image.width, height: image.height };
  const isWhole = grid.columns * grid.rows === 1;
  const tiles = isWhole ? [whole] : [whole, ...tilesOf(image.width, image.height, grid)];
  const found: Detection[] = [];
  for (let from = 0; from < tiles.length; from += detector.maxBatch) {
    const part = tiles.slice(from, from + detector.maxBatch);
    const { detections } = await detector.detect(part.map((tile) => (tile === whole ? image : cropOf(image, tile))));
    for (const [i, tile] of part.entries()) {
      const own = detections[i]!.filter(({ bbox }) => !isCut(bbox, tile, image));
      found.push(...own.map((one) => ({ ...one, bbox: moved(one.bbox, tile) })));
    }
  }
  return isWhole ? found : withoutDoubles(found);
}

function isCut([x, y, width, height]: Box, tile: Tile, image: Pick<RgbImage, "width" | "height">): boolean {
  const [across, down] = [tile.width * BORDER, tile.height * BORDER];
  return (
    (tile.x > 0 && x < across) ||
    (tile.y > 0 && y < down) ||
    (tile.x + tile.width < image.width && x + width > tile.width - across) ||
    (tile.y + tile.height < image.height && y + height > tile.height - down)
  );
}

function moved([x, y, width, height]: Box, tile: Tile): Box {
  return [x + tile.x, y + tile.y, width, height];
}

function withoutDoubles(found: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const one of found.toSorted((a, b) => b.score - a.score)) {
    const isDouble = kept.some((better) => better.label === one.label && iou(better.bbox, one.bbox) >= SAME_OBJECT);
    if (!isDouble) kept.push(one);
  }
  return kept;
}
