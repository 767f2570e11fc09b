// Whatever runs SSD300, the paper's network with weights that nobody trained, or a smaller one, its raw answers are those of onnx:cpu.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, Network, RawHeads } from "../../../src/model/engines/engine.ts";
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import type { Graph } from "../../../src/model/graph.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import type { SsdSpec } from "../../../src/model/spec.ts";
import { SPECS } from "../../../src/model/specs.ts";
import { worstDifference } from "../support/differences.ts";
import { drawPicture } from "../support/pictures.ts";
import { livelyWeights } from "../support/lively-weights.ts";
import type { EngineCase } from "./contract.ts";

interface Ssd {
  readonly spec: SsdSpec;
  readonly graph: Graph;
}

/** The paper's network. */
export function ssd300(): Ssd {
  const spec = SPECS.find(({ name }) => name === "ssd300-vgg16-voc")!;
  return { spec, graph: buildSsd(spec) };
}

// fp32 sums in another order differ in their last digits, and logits are some tens here. Drawn pictures stand for photos: noise,
// which no camera sees, is answered with stronger features and differences.
const TOLERANCE = 1e-3;

/** The suite, for batches of these sizes. */
export function describeAgreement({ name, open, missing }: EngineCase, sizes: readonly number[], ssd = ssd300): void {
  const why = missing === undefined ? "" : ` (${missing})`;
  const { spec, graph } = ssd();
  describe.skipIf(missing !== undefined)(`${spec.name} on ${name} and on onnx:cpu${why}`, () => {
    const { width, height } = spec.input;
    const most = Math.max(...sizes);
    const pictures = Array.from({ length: most }, (_, i) => drawPicture(width, height, i + 1).data);
    const batch = Uint8Array.from(pictures.flatMap((data) => [...data]));
    let engine: Engine;
    let expected: RawHeads;
    beforeAll(async () => {
      const network: Network = { graph, weights: livelyWeights(graph, spec.labels.length) };
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
