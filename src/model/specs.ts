// The presets: every number of a named detector in one place, the code around it has none.
import { COCO_LABELS } from "./labels.ts";
import type { PostProcessSpec, SsdSpec } from "./spec.ts";

/** What the paper's figures were measured with (end of section 3.1). */
export const PAPER_POST_PROCESS: PostProcessSpec = {
  minScore: 0.01,
  iouThreshold: 0.45,
  maxDetections: 200,
  suppression: "hard",
  softSigma: 0.5,
  classAgnostic: false,
};

/**
 * TensorFlow's ssdlite_mobilenet_v2_coco: 300 x 300, 1917 default boxes. Its anchor generator (`ssd_anchor_generator`) spreads
 * six scales evenly over 0.2..0.95, with three boxes in the cells of the lowest map and six elsewhere.
 */
export const SSDLITE_MOBILENET_V2: SsdSpec = {
  name: "ssdlite-mobilenet-v2",
  version: "1",
  base: "mobilenet-v2",
  input: { width: 300, height: 300, resize: "asymmetric", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 },
  maps: evenScales([19, 10, 5, 3, 2, 1], 0.2, 0.95),
  variances: [0.1, 0.1, 0.2, 0.2],
  scores: "sigmoid",
  labels: [...COCO_LABELS],
  postProcess: { ...PAPER_POST_PROCESS },
};

function evenScales(cells: readonly number[], first: number, last: number): SsdSpec["maps"] {
  const scaleOf = (map: number): number =>
    map < cells.length ? first + ((last - first) * map) / (cells.length - 1) : 1;
  return cells.map((count, map) => {
    const scale = scaleOf(map);
    // The ratios as they stand in the configuration that the model was trained with.
    const lowest = [
      { scale: 0.1, ratio: 1 },
      { scale, ratio: 2 },
      { scale, ratio: 0.5 },
    ];
    const ratios = [1, 2, 0.5, 3, 0.3333].map((ratio) => ({ scale, ratio }));
    const between = { scale: Math.sqrt(scale * scaleOf(map + 1)), ratio: 1 };
    return { cells: count, boxes: map === 0 ? lowest : [...ratios, between] };
  });
}
