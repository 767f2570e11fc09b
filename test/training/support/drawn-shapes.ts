// A data set that a seed draws: discs, squares and triangles of bright colours on dark noise, as PNG files and COCO's JSON.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { random } from "../../../src/model/random.ts";
import type { CocoJson } from "./data-folders.ts";

export const SHAPES = ["disc", "square", "triangle"] as const;

export interface ShapesOptions {
  readonly pictures: number;
  readonly seed: number;
  /** Of the square pictures. */
  readonly side: number;
  /** On each picture, at most. */
  readonly most?: number;
}

/** Writes `images/` and `instances.json`, and returns what the JSON says. */
export async function writeShapes(folder: string, options: ShapesOptions): Promise<CocoJson> {
  const { pictures, seed, side, most = 3 } = options;
  await mkdir(join(folder, "images"), { recursive: true });
  const next = random(seed);
  const json: CocoJson = {
    images: [],
    annotations: [],
    categories: SHAPES.map((name, i) => ({ id: i + 1, name })),
  };
  for (let id = 1; id <= pictures; id++) {
    const data = Uint8Array.from({ length: side * side * 3 }, () => 20 + next() * 60);
    const boxes: [number, number, number, number][] = [];
    for (let wanted = 1 + Math.floor(next() * most); wanted > 0; wanted--) {
      const size = Math.round(side * (0.2 + next() * 0.25));
      const [x, y] = [Math.floor(next() * (side - size)), Math.floor(next() * (side - size))];
      const shape = Math.floor(next() * SHAPES.length);
      const colour = [150 + next() * 105, 150 + next() * 105, 150 + next() * 105] as const;
      if (boxes.some(([bx, by, w]) => x < bx + w && bx < x + size && y < by + w && by < y + size)) continue;
      draw(data, side, shape, [x, y, size], colour);
      boxes.push([x, y, size, size]);
      const annotation = { image_id: id, category_id: shape + 1, bbox: [x, y, size, size], area: size * size };
      json.annotations.push({ id: json.annotations.length + 1, ...annotation });
    }
    json.images.push({ id, file_name: `${id}.png`, width: side, height: side });
    const png = await sharp(data, { raw: { width: side, height: side, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    await writeFile(join(folder, "images", `${id}.png`), png);
  }
  await writeFile(join(folder, "instances.json"), JSON.stringify(json));
  return json;
}

function draw(
  data: Uint8Array,
  side: number,
  shape: number,
  [left, top, size]: readonly [number, number, number],
  colour: readonly number[],
): void {
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [u, v] = [(x + 0.5) / size, (y + 0.5) / size];
      const inside = shape === 1 || (shape === 0 ? (u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.25 : Math.abs(u - 0.5) < v / 2);
      if (inside) data.set(colour.map(Math.round), ((top + y) * side + left + x) * 3);
    }
  }
}
