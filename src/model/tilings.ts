// Where boxes lie in the cells of each map: the tilings of the paper, of its released models, and of TensorFlow.
import type { ExtraLayer, SsdSpec } from "./spec.ts";

type MapSpec = SsdSpec["maps"][number];

/** Boxes of one range of sizes in pixels: ratio 1 at `min` and at sqrt(min * max), then each of `ratios` and its inverse. */
export interface BoxRange {
  readonly min: number;
  /** Without it there is no box in between. */
  readonly max?: number;
  readonly ratios: readonly number[];
}

/** One map: `step` pixels between its cells, boxes of one or more ranges. */
export interface Layer {
  readonly cells: number;
  readonly step: number;
  /** Where it is not the map's own place. */
  readonly feature?: number;
  readonly ranges: readonly BoxRange[];
}

/**
 * A tiling from box sizes in pixels of an input of `size` pixels, in the order of Caffe's PriorBox layer (Liu's `ssd` branch,
 * `prior_box_layer.cpp`) and of torchvision's DefaultBoxGenerator.
 */
export function tiling(size: number, layers: readonly Layer[]): MapSpec[] {
  return layers.map(({ cells, step, feature, ranges }) => {
    const boxes = ranges.flatMap(({ min, max, ratios }) => [
      { scale: min / size, ratio: 1 },
      ...(max === undefined ? [] : [{ scale: Math.sqrt(min * max) / size, ratio: 1 }]),
      ...ratios.flatMap((ratio) => [
        { scale: min / size, ratio },
        { scale: min / size, ratio: 1 / ratio },
      ]),
    ]);
    return { cells, step, ...(feature === undefined ? {} : { feature }), boxes };
  });
}

/** How the boxes of SSD300 and SSD512 differ: all else of the released tilings is the same for every data set. */
export interface Sizes {
  /** One more than there are maps: that of each map, and where the last map's in-between box ends. */
  readonly pixels: readonly number[];
  readonly ratios: readonly (readonly number[])[];
}

/** The released tilings: one range a map. */
export function releasedTiling(
  size: number,
  cells: readonly number[],
  steps: readonly number[],
  sizes: Sizes,
): MapSpec[] {
  const layers = cells.map((count, i) => ({
    cells: count,
    step: steps[i]!,
    ranges: [{ min: sizes.pixels[i]!, max: sizes.pixels[i + 1]!, ratios: sizes.ratios[i]! }],
  }));
  return tiling(size, layers);
}

/**
 * The tiling of TensorFlow's object detection (`ssd_anchor_generator`): scales spread evenly from `first` to `last`, three boxes in
 * the cells of the lowest map and six elsewhere. The box in between two scales is a cell's last, and was its second once.
 */
export function evenScales(
  cells: readonly number[],
  first: number,
  last: number,
  inBetween: "second" | "last" = "last",
): MapSpec[] {
  const scaleOf = (map: number): number =>
    map < cells.length ? first + ((last - first) * map) / (cells.length - 1) : 1;
  return cells.map((count, map) => {
    const scale = scaleOf(map);
    // The ratios as they stand in the configurations that the models were trained with.
    const lowest = [
      { scale: 0.1, ratio: 1 },
      { scale, ratio: 2 },
      { scale, ratio: 0.5 },
    ];
    const boxes = [1, 2, 0.5, 3, 0.3333].map((ratio) => ({ scale, ratio }));
    const between = { scale: Math.sqrt(scale * scaleOf(map + 1)), ratio: 1 };
    boxes.splice(inBetween === "second" ? 1 : boxes.length, 0, between);
    return { cells: count, boxes: map === 0 ? lowest : boxes };
  });
}

/** TensorFlow's extra layers: each halves the map. */
export function halvingExtras(channels: readonly (readonly [narrow: number, wide: number])[]): ExtraLayer[] {
  return channels.map(([narrow, wide]) => ({ narrow, wide, kernel: 3, stride: 2, padding: "same" }));
}
