// Whatever runs SSD300, the paper's network with weights that nobody trained, its raw answers are those of onnx:cpu.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, Network, RawHeads } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { SPECS } from "../../../src/model/specs.ts";
import { worstDifference } from "../support/differences.ts";
import { drawPicture } from "../support/pictures.ts";
import { livelyWeights } from "../support/lively-weights.ts";
import type { EngineCase } from "./contract.ts";

const SPEC = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;
const { width, height } = SPEC.input;
// fp32 sums in another order differ in their last digits, and logits are some tens here. Drawn pictures stand for photos: noise,
// which no camera sees, is answered with stronger features and differences.
const TOLERANCE = 1e-3;

/** The suite, for batches of these sizes. */
export function describeAgreement({ name, open, missing }: EngineCase, sizes: readonly number[]): void {
  const why = missing === undefined ? "" : ` (${missing})`;
  describe.skipIf(missing !== undefined)(`SSD300 on ${name} and on onnx:cpu${why}`, () => {
    const most = Math.max(...sizes);
    const pictures = Array.from({ length: most }, (_, i) => drawPicture(width, height, i + 1).data);
    const batch = Uint8Array.from(pictures.flatMap((data) => [...data]));
    let engine: Engine;
    let expected: RawHeads;
    beforeAll(async () => {
      const graph = buildSsd(SPEC);
      const network: Network = { graph, weights: livelyWeights(graph, SPEC.labels.length) };
      const reference = await openOnnxCpu(network, { threads: 0, precision: "fp32" });
      const { offsets, logits } = await reference.run(batch, most);
      expected = { offsets: offsets.slice(), logits: logits.slice() };
      await reference.close();
      engine = await open(network, { threads: 0, precision: "fp32" });
    });
    afterAll(() => engine.close());

    test.each(sizes)("a batch of %d has the same offsets and logits to 1e-3", async (n) => {
      const { offsets, logits } = await engine.run(batch, n);
      expect(worstDifference(offsets, expected.offsets.subarray(0, offsets.length))).toBeLessThan(TOLERANCE);
      expect(worstDifference(logits, expected.logits.subarray(0, logits.length))).toBeLessThan(TOLERANCE);
      expect(logits).toHaveLength((n / most) * expected.logits.length);
      // Numbers that are all the same would agree too.
      expect(Math.max(...logits.subarray(0, 2100)) - Math.min(...logits.subarray(0, 2100))).toBeGreaterThan(1);
    });
  });
}
