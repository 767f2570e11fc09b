// What a spec may say, and the one that the product comes with.
import { describe, expect, test } from "vitest";
import { COCO_LABELS } from "../../src/model/labels.ts";
import { SsdSpec } from "../../src/model/spec.ts";
import { PAPER_POST_PROCESS, SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";

describe("COCO's labels", () => {
  test("stand under their original ids, 80 of them in 1..90", () => {
    expect(COCO_LABELS).toHaveLength(91);
    expect(COCO_LABELS.filter((label) => label !== null)).toHaveLength(80);
    const some = [1, 3, 18, 44, 62, 90].map((id) => COCO_LABELS[id]);
    expect(some).toEqual(["person", "car", "dog", "bottle", "chair", "toothbrush"]);
  });

  test("have gaps where ids were never used, and at the background", () => {
    const gaps = [...COCO_LABELS.entries()].filter(([, label]) => label === null).map(([id]) => id);
    expect(gaps).toEqual([0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83]);
  });
});

const LAYER = { narrow: 1, wide: 1, kernel: 3, stride: 1, padding: "same" };
const BOXES = Array.from({ length: 65 }, () => ({ scale: 1, ratio: 1 }));

describe("a spec", () => {
  test("survives JSON", () => {
    expect(SsdSpec.parse(JSON.parse(JSON.stringify(SSDLITE_MOBILENET_V2)))).toEqual(SSDLITE_MOBILENET_V2);
  });

  test("written before there were ways of suppression is read as greedy NMS a class", () => {
    const { minScore, iouThreshold, maxDetections } = PAPER_POST_PROCESS;
    const older = { ...SSDLITE_MOBILENET_V2, postProcess: { minScore, iouThreshold, maxDetections } };
    const wanted = { suppression: "hard", softSigma: 0.5, classAgnostic: false, cutFirst: true };
    expect(SsdSpec.parse(older).postProcess).toEqual({ minScore, iouThreshold, maxDetections, ...wanted });
  });

  test.each([
    ["a setting that there is not", { extra: 1 }, "extra"],
    ["a threshold above 1", { postProcess: { minScore: 1.1, iouThreshold: 0.45, maxDetections: 1 } }, "minScore"],
    ["a way of suppression that there is not", { postProcess: { ...PAPER_POST_PROCESS, suppression: "none" } }, "hard"],
    ["no candidate of a class", { postProcess: { ...PAPER_POST_PROCESS, topKPerClass: 0 } }, "topKPerClass"],
    ["an input of half a pixel", { input: { ...SSDLITE_MOBILENET_V2.input, width: 300.5 } }, "width"],
    ["a map without boxes", { maps: [{ cells: 1, boxes: [] }] }, "boxes"],
    ["a box of no size", { maps: [{ cells: 1, boxes: [{ scale: 0, ratio: 1 }] }] }, "scale"],
    ["a variance of 0", { variances: [0, 0.1, 0.2, 0.2] }, "variances"],
    ["a base that is not built in", { base: { kind: "vgg19" } }, "base"],
    ["more channels than memory", { extras: [{ ...LAYER, wide: 1e15 }] }, "wide"],
    ["more channels within a layer than memory", { extras: [{ ...LAYER, narrow: 65_537 }] }, "narrow"],
    ["a kernel larger than a map", { extras: [{ ...LAYER, kernel: 65 }] }, "kernel"],
    ["a border larger than a map", { extras: [{ ...LAYER, padding: 1e9 }] }, "padding"],
    ["a predictor larger than a map", { predictorKernel: 65 }, "predictorKernel"],
    ["an input of millions of pixels a side", { input: { ...SSDLITE_MOBILENET_V2.input, height: 4097 } }, "height"],
    ["a map of millions of cells a side", { maps: [{ cells: 4097, boxes: [{ scale: 1, ratio: 1 }] }] }, "cells"],
    ["more boxes of a cell than there are shapes", { maps: [{ cells: 1, boxes: BOXES }] }, "boxes"],
    ["more labels than there are classes", { labels: Array.from({ length: 65_537 }, () => null) }, "labels"],
    ["a single label", { labels: [null] }, "labels"],
  ])("refuses %s", (_, change, where) => {
    const parsed = SsdSpec.safeParse({ ...SSDLITE_MOBILENET_V2, ...change });
    expect(parsed.error?.message).toContain(where);
  });
});
