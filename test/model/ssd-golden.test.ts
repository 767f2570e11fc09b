// SSD300 and SSD512 say what torchvision and OpenCV said of two drawings with the same weights, which are made anew without Python.
import { beforeAll, describe, expect, test } from "vitest";
import type { RawHeads } from "../../src/model/engines/engine.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { worstDifference } from "./support/differences.ts";
import { livelyWeights } from "./support/lively-weights.ts";
import { matchDetections } from "./support/matching.ts";
import { detectionsOf, rawHeads, sampled, specWithoutGaps } from "./support/parity-model.ts";
import { type GoldenPicture, goldenHeads, goldenPictures, goldenRows, readGolden } from "./support/ssd-golden.ts";

describe.each([
  ["ssd300-torchvision", "ssd300-vgg16-torchvision"],
  ["ssd300-caffe", "ssd300-vgg16-voc"],
  ["ssd512-caffe", "ssd512-vgg16-voc"],
])("%s", (name, specName) => {
  const spec = specWithoutGaps(specName);
  let golden: GoldenPicture[];
  let ours: RawHeads[];
  beforeAll(async () => {
    golden = await readGolden(name);
    const weights = livelyWeights(buildSsd(spec), spec.labels.length);
    ours = await rawHeads(spec, weights, sampled(spec, goldenPictures(spec)));
  });

  test.each([0, 1])("drawing %i: offsets and logits are equal to 1e-3", (i) => {
    const { offsets, logits } = goldenHeads(spec, ours[i]!);
    expect(worstDifference(golden[i]!.offsets, offsets)).toBeLessThan(1e-3);
    expect(worstDifference(golden[i]!.logits, logits)).toBeLessThan(1e-3);
  });

  test.each([0, 1])("drawing %i: the 200 detections are the same, one to one", (i) => {
    const theirs = goldenRows(golden[i]!);
    expect(theirs).toHaveLength(200);
    expect(matchDetections(detectionsOf(spec, ours[i]!), theirs)).toEqual({
      pairs: 200,
      onlyOurs: [],
      onlyTheirs: [],
    });
  });
});
