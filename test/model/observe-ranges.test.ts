// The ranges of a network's values: exact where they are all kept, and to a bin's width where the rarest are cut off.
import { describe, expect, test } from "vitest";
import type { RgbImage } from "../../src/model/detection.ts";
import { Histogram } from "../../src/model/histogram.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { observeRanges } from "../../src/model/observe-ranges.ts";
import { observedNodes } from "../../src/model/compile/int8-plan.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { drawPicture } from "./support/pictures.ts";
import { random } from "../../src/model/random.ts";
import { randomWeights } from "./support/random-weights.ts";

describe("a histogram", () => {
  test("knows the least and greatest value, and counts zero among them", () => {
    const histogram = new Histogram();
    expect(histogram.range).toEqual([0, 0]);
    expect(histogram.rangeWithin(99)).toEqual([0, 0]);
    histogram.add(new Float32Array(4));
    histogram.add(Float32Array.of(3, 2));
    expect(histogram.range).toEqual([0, 3]);
    expect(histogram.rangeWithin(100)).toEqual([0, 3]);
  });

  test("cuts the same share off either end, however far apart the values came", () => {
    const histogram = new Histogram();
    const next = random(7);
    const uniform = Float32Array.from({ length: 100_000 }, () => next() * 2 - 1);
    // First small ones, then large ones, so that the bins are widened under way.
    histogram.add(uniform.map((value) => value / 1000));
    for (let i = 0; i < 9; i++) histogram.add(uniform.map((value) => value * 8));
    const [min, max] = histogram.rangeWithin(99);
    // A tenth of the values lies around zero, so a percent of all is a ninetieth of the rest on its side.
    expect(max).toBeCloseTo(8 * (1 - 2 / 90), 1);
    expect(min).toBeCloseTo(-8 * (1 - 2 / 90), 1);
    expect(histogram.rangeWithin(100)).toEqual(histogram.range);
  });

  test("keeps zero in a range that is all on one side of it", () => {
    const histogram = new Histogram();
    histogram.add(Float32Array.from({ length: 1000 }, (_, i) => -5 - i / 1000));
    const [min, max] = histogram.rangeWithin(90);
    expect(max).toBe(0);
    expect(min).toBeGreaterThan(-5.91);
    expect(min).toBeLessThan(-5.89);
  });
});

describe("observing a network", () => {
  const graph = buildSsd(SSDLITE_MOBILENET_V2);
  const network = { graph, weights: randomWeights(graph, 1), spec: SSDLITE_MOBILENET_V2 };

  async function* pictures(count: number): AsyncGenerator<RgbImage, void> {
    for (let i = 0; i < count; i++) yield await Promise.resolve(drawPicture(320, 240, i));
  }

  test("gives the range of each node that int8 needs, and says how", async () => {
    const all = await observeRanges(network, pictures(2), { method: { kind: "min-max" }, threads: 1 });
    expect(all).toMatchObject({ method: "min-max", pictures: 2 });
    expect(Object.keys(all.ranges)).toEqual(observedNodes(graph));
    const most = await observeRanges(network, pictures(2), {
      method: { kind: "percentile", percent: 99 },
      threads: 1,
    });
    expect(most.method).toBe("percentile 99");
    const wider = Object.entries(most.ranges).filter(([name, [min, max]]) => {
      return min < all.ranges[name]![0] || max > all.ranges[name]![1];
    });
    expect(wider).toEqual([]);
    expect(most.ranges["base.block1.project"]![1]).toBeLessThan(all.ranges["base.block1.project"]![1]);
  });

  test("on no picture fails", async () => {
    const observing = observeRanges(network, pictures(0), { method: { kind: "min-max" }, threads: 1 });
    await expect(observing).rejects.toThrow(expect.objectContaining({ code: "QUANTIZE_NO_PICTURES" }));
  });

  test("whose weights are damaged fails, with the node's name", async () => {
    const weights = new Map(network.weights);
    weights.set("base.conv.bias", { shape: [32], data: new Float32Array(32).fill(NaN) });
    const observing = observeRanges({ ...network, weights }, pictures(1), { method: { kind: "min-max" }, threads: 1 });
    await expect(observing).rejects.toThrow(
      expect.objectContaining({ code: "WEIGHTS_NOT_FINITE", message: expect.stringContaining("base.") as unknown }),
    );
  });
});
