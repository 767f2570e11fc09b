// Frames of a camera that stands still, as PNG files and COCO's JSON: one background, on which a square moves.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { CocoJson } from "./data-folders.ts";

const SIDE = 64;
const SQUARE = 8;

export interface FramesOptions {
  readonly count: number;
  /** `f0000.png`, `f0008.png`, ... unless something else is said. */
  readonly rename?: ((file: string) => string) | undefined;
  /** `square` unless something else is said. */
  readonly label?: string;
  /** The number of a frame that looks like none of the others. */
  readonly odd?: number | undefined;
}

/** Writes `images/` and `instances.json`. Every frame has a square, and all perceptual hashes are within 6 bits. */
export async function writeFrames(
  folder: string,
  { count, rename = (file) => file, odd, label = "square" }: FramesOptions,
): Promise<void> {
  await mkdir(join(folder, "images"), { recursive: true });
  const json: CocoJson = { images: [], annotations: [], categories: [{ id: 1, name: label }] };
  for (let i = 0; i < count; i++) {
    const [left, top] = [4 + (i % 7) * SQUARE, 4 + (Math.floor(i / 7) % 6) * SQUARE];
    // Brightness falls and rises over the width, more than a square could change.
    const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
      const [x, y] = [Math.floor(at / 3) % SIDE, Math.floor(at / 3 / SIDE)];
      const isSquare = x >= left && x < left + SQUARE && y >= top && y < top + SQUARE;
      const wave = 100 + (Math.floor(x / 7.2) % 2 === Number(i === odd) ? 80 : 0) + (y % 3);
      return isSquare ? Math.min(255, wave + 12 + (at % 3)) : wave;
    });
    const file = rename(`f${String(i * 8).padStart(4, "0")}.png`);
    const png = sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } }).png({ compressionLevel: 1 });
    await writeFile(join(folder, "images", file), await png.toBuffer());
    json.images.push({ id: i + 1, file_name: file, width: SIDE, height: SIDE });
    const bbox: [number, number, number, number] = [left, top, SQUARE, SQUARE];
    json.annotations.push({ id: i + 1, image_id: i + 1, category_id: 1, bbox, area: SQUARE * SQUARE });
  }
  await writeFile(join(folder, "instances.json"), JSON.stringify(json));
}
