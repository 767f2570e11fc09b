// The variants of SSD300 that the paper measures (tables 2 and 3): specs made of the same parts, no code of their own.
import { VOC_LABELS } from "./labels.ts";
import type { SsdSpec } from "./spec.ts";
import { ssd300, VOC_300 } from "./specs.ts";
import { type Layer, tiling } from "./tilings.ts";

const SIZE = 300;
const FULL = ssd300("ssd300-vgg16-voc", VOC_LABELS, VOC_300);

const NO_OTHERS: readonly number[] = [];
const TWO = [2];
const TWO_THREE = [2, 3];

/**
 * Table 2. `-ratios-2`: no boxes of ratio 3 and 1/3. `-ratios-1`: nor of 2 and 1/2. `-full`: VGG16's own pool5, fc6 and fc7 instead of
 * the atrous ones, and conv5_3 to predict from; the layers behind are one fewer, so that there are six maps again.
 */
const TABLE_2: readonly SsdSpec[] = [
  ssd300("ssd300-vgg16-voc-ratios-2", VOC_LABELS, withRatios(TWO)),
  ssd300("ssd300-vgg16-voc-ratios-1", VOC_LABELS, withRatios(NO_OTHERS)),
  {
    ...FULL,
    name: "ssd300-vgg16-voc-full",
    base: { kind: "vgg16", atrous: false },
    extras: FULL.extras.filter((_, i) => i !== 1),
  },
];

// Layers of table 3 whose boxes stay as they are.
const CONV4_3: Layer = { cells: 38, step: 8, ranges: [{ min: 30, max: 60, ratios: TWO }] };
const CONV7: Layer = { cells: 19, step: 16, ranges: [{ min: 60, max: 111, ratios: TWO_THREE }] };
const CONV8_2: Layer = { cells: 10, step: 32, ranges: [{ min: 111, max: 162, ratios: TWO_THREE }] };
const CONV9_2: Layer = { cells: 5, step: 64, ranges: [{ min: 162, max: 213, ratios: TWO_THREE }] };

/**
 * Table 3: fewer maps. The boxes of a map that is left out are stacked on the last one that stays, so that their number is near
 * 8732. The paper gives only the numbers, which these have: 8764, 8942, 9864, 9025 and 8664 boxes.
 */
const TABLE_3: readonly SsdSpec[] = [
  fewerMaps(5, 3, [
    CONV4_3,
    CONV7,
    CONV8_2,
    CONV9_2,
    {
      cells: 3,
      step: 100,
      ranges: [
        { min: 213, max: 264, ratios: TWO },
        { min: 264, max: 315, ratios: TWO },
      ],
    },
  ]),
  fewerMaps(4, 2, [
    CONV4_3,
    CONV7,
    CONV8_2,
    {
      ...CONV9_2,
      ranges: [
        { min: 162, max: 213, ratios: TWO_THREE },
        { min: 213, max: 264, ratios: TWO_THREE },
        { min: 264, max: 315, ratios: TWO },
      ],
    },
  ]),
  fewerMaps(3, 1, [
    CONV4_3,
    {
      ...CONV7,
      ranges: [
        { min: 60, max: 111, ratios: TWO },
        { min: 111, max: 162, ratios: TWO },
      ],
    },
    {
      ...CONV8_2,
      ranges: [
        { min: 162, max: 238, ratios: TWO_THREE },
        { min: 238, max: 315, ratios: TWO_THREE },
      ],
    },
  ]),
  fewerMaps(2, 0, [
    CONV4_3,
    {
      ...CONV7,
      ranges: [
        { min: 60, max: 145, ratios: TWO },
        { min: 145, max: 230, ratios: TWO },
        { min: 270, ratios: [] },
      ],
    },
  ]),
  fewerMaps(1, 0, [
    {
      ...CONV7,
      feature: 1,
      ranges: [
        { min: 30, max: 93, ratios: TWO_THREE },
        { min: 93, max: 156, ratios: TWO_THREE },
        { min: 156, max: 219, ratios: TWO_THREE },
        { min: 219, max: 282, ratios: TWO_THREE },
      ],
    },
  ]),
];

/** In the order of the tables; the model they are compared with is `ssd300-vgg16-voc`. */
export const VARIANTS: readonly SsdSpec[] = [...TABLE_2, ...TABLE_3];

function withRatios(most: readonly number[]): typeof VOC_300 {
  return { ...VOC_300, ratios: VOC_300.ratios.map((ratios) => ratios.filter((ratio) => most.includes(ratio))) };
}

function fewerMaps(maps: number, extras: number, layers: readonly Layer[]): SsdSpec {
  return {
    ...FULL,
    name: `ssd300-vgg16-voc-maps-${maps}`,
    extras: FULL.extras.slice(0, extras),
    maps: tiling(SIZE, layers),
  };
}
