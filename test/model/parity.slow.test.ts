// Our network in our engine says what the released graph says in TensorFlow.js, number by number, on real pictures.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RgbImage } from "../../src/model/detection.ts";
import type { Engine, RawHeads } from "../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { createSampler } from "../../src/model/sample.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { defaultBundle } from "../support/model.ts";
import { sigmoid, worstDifference } from "./support/differences.ts";
import { goldenOf, goldenPicture, readGolden, writeGoldenIfMissing } from "./support/golden.ts";
import { type OriginalGraph, openOriginalGraph } from "./support/original-graph.ts";
import { photo } from "./support/pictures.ts";

const photos = await Promise.all(["dog.jpg", "horses.jpg", "person.jpg"].map((name, i) => photo(name, 11 + i)));
// Two implementations add up a thousand products in different orders.
const TOLERANCE = 1e-4;

describe("onnx:cpu against the released graph in TensorFlow.js", () => {
  let graph: OriginalGraph;
  let engine: Engine;
  beforeAll(async () => {
    graph = await openOriginalGraph();
    engine = await openOnnxCpu(await defaultBundle(), { threads: 0 });
  });
  afterAll(async () => {
    graph.dispose();
    await engine.close();
  });

  test.each(photos)("raw offsets and scores are equal to 1e-4: $title", async ({ picture }) => {
    const pixels = sampled(picture);
    const [ours, theirs] = await compare(pixels);
    expect(worstDifference(ours.offsets, theirs.offsets)).toBeLessThan(TOLERANCE);
    expect(worstDifference(sigmoid(ours.logits), sigmoid(theirs.logits))).toBeLessThan(TOLERANCE);
    // Logits reach 30, and their last digits differ by more than those of scores.
    expect(worstDifference(ours.logits, theirs.logits)).toBeLessThan(5 * TOLERANCE);
    // Equal zeros would be equal as well.
    expect(theirs.logits.some((logit) => logit > 0)).toBe(true);
  });

  test("the golden values that all engines are held against are those of the released graph", async () => {
    const theirs = await graph.run(goldenPicture());
    await writeGoldenIfMissing(theirs);
    const golden = await readGolden();
    const { offsets, logits } = goldenOf(theirs);
    expect(worstDifference(golden.offsets, offsets)).toBeLessThan(1e-5);
    expect(worstDifference(golden.logits, logits)).toBeLessThan(1e-5);
  });

  // The released graph resizes by itself, and leaves a picture of 300 x 300 as it is.
  async function compare(pixels: Uint8Array): Promise<[ours: RawHeads, theirs: RawHeads]> {
    const theirs = await graph.run({ format: "rgb24", width: 300, height: 300, data: pixels });
    return [await engine.run(pixels, 1), theirs];
  }
});

function sampled(picture: RgbImage): Uint8Array {
  const out = new Uint8Array(300 * 300 * 3);
  createSampler(SSDLITE_MOBILENET_V2.input)(picture, out, 0);
  return out;
}
