// Pictures for the tests: drawn ones that are the same in every run, and photos of the test data.
import { readFile } from "node:fs/promises";
import type { RgbImage } from "../../../src/model/detection.ts";
import { decodePicture } from "../../../src/model/decode-picture.ts";
import { testData } from "../../support/model.ts";
import { random } from "../../../src/model/random.ts";

/** Gradients with ellipses and bars on them: smooth parts, hard edges and all colours. */
export function drawPicture(width: number, height: number, seed: number): RgbImage {
  const next = random(seed);
  const data = new Uint8Array(width * height * 3);
  const slopes = Array.from({ length: 6 }, () => next());
  for (let at = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      for (let c = 0; c < 3; c++)
        data[at + c] = 255 * (0.5 * slopes[c]! * (x / width) + 0.5 * slopes[c + 3]! * (y / height));
    }
  }
  for (let shape = 0; shape < 12; shape++) {
    const [cx, cy] = [next() * width, next() * height];
    const [rx, ry] = [1 + next() * width * 0.2, 1 + next() * height * 0.2];
    const colour = [next() * 256, next() * 256, next() * 256];
    const isBar = next() < 0.5;
    for (let at = 0, y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 3) {
        const [dx, dy] = [Math.abs(x - cx) / rx, Math.abs(y - cy) / ry];
        if (isBar ? dx < 1 && dy < 1 : dx * dx + dy * dy < 1) data.set(colour, at);
      }
    }
  }
  return { format: "rgb24", width, height, data };
}

/** Every byte is random. */
export function noisePicture(width: number, height: number, seed: number): RgbImage {
  const next = random(seed);
  return { format: "rgb24", width, height, data: Uint8Array.from({ length: width * height * 3 }, () => next() * 256) };
}

/** A photo of the test data, or a drawn picture where it is absent, and which of them it is. */
export async function photo(name: string, seed = 1): Promise<{ title: string; picture: RgbImage }> {
  const path = testData(`photos/${name}`);
  if (path) return { title: name, picture: await decodePicture(await readFile(path)) };
  return { title: `a drawing, because there is no ${name}`, picture: drawPicture(640, 480, seed) };
}
