// The default model on COCO's pictures has the accuracy that its original graph has, whichever way boxes are suppressed.
import { afterEach, describe, expect, it, vi } from "vitest";
import { evaluateModel } from "../../src/commands/evaluate.ts";
import { DEFAULT_MODEL, testCacheDir, testData } from "../support/model.ts";

const data = testData("coco/val");

afterEach(() => vi.restoreAllMocks());

describe.skipIf(data === undefined)("the default model on 192 pictures of COCO (needs the test data)", () => {
  // What pycocotools says of the original graph, fed whole pictures.
  it.each([
    ["as the paper suppresses", {}, 0.313],
    ["as it was published", { iouThreshold: 0.6, maxDetections: 100 }, 0.311],
  ])("has the AP of its original, %s: %j", async (_, postProcess, expected) => {
    const print = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const failed = await evaluateModel({
      data: data!,
      model: DEFAULT_MODEL,
      engine: "onnx:cpu",
      precision: "fp32",
      workers: 0,
      maxBatch: 8,
      cacheDir: testCacheDir(),
      postProcess,
      difficult: "ignore",
      json: true,
    });
    const result = JSON.parse(print.mock.lastCall![0] as string) as { data: unknown; figures: { AP: number } };
    expect(failed).toBe(0);
    expect(result.data).toMatchObject({ pictures: 192, objects: 1602 });
    expect(Math.abs(result.figures.AP - expected)).toBeLessThan(0.003);
  });
});
