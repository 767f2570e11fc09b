// ONNX Runtime on WebGPU: what every engine must do, a small SSD on VGG16, nothing left to the CPU, and one worker.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { writeBundle } from "../../src/model/bundle.ts";
import { compileOnnx } from "../../src/model/compile/onnx.ts";
import { openDetector } from "../../src/model/detector-pool.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { SPECS } from "../../src/model/specs.ts";
import { describeAgreement } from "../model/engines/agreement.ts";
import { onnxWebgpu } from "../model/engines/cases.ts";
import { describeEngine } from "../model/engines/contract.ts";
import { everyKindOfNode } from "../model/support/every-kind.ts";
import { drawPicture } from "../model/support/pictures.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { smallSpec } from "../model/support/small-spec.ts";
import { smallVggGraph } from "../model/support/small-vgg.ts";

const webgpu = onnxWebgpu();
const why = webgpu.missing === undefined ? "" : ` (${webgpu.missing})`;

describe.skipIf(webgpu.missing !== undefined)(`every operation is computed by the GPU${why}`, () => {
  const create = async (model: Uint8Array, disable: "0" | "1"): Promise<void> => {
    const options = { executionProviders: ["webgpu"], extra: { session: { disable_cpu_ep_fallback: disable } } };
    await (await InferenceSession.create(model, options)).release();
  };

  test.each(["ssdlite-mobilenet-v2", "ssd300-vgg16-voc", "ssd512-vgg16-voc"])("of %s", async (name) => {
    const graph = buildSsd(SPECS.find((spec) => spec.name === name)!);
    await expect(create(compileOnnx(graph, randomWeights(graph, 1)), "1")).resolves.toBeUndefined();
  });

  test("and where one were not, the runtime would say so", async () => {
    const { graph, weights } = everyKindOfNode();
    // Quantised to uint8 and back, which WebGPU leaves to the CPU.
    const ranges = new Map(graph.nodes.map(({ name }) => [name, [-1, 1] as const]));
    const model = compileOnnx(graph, weights, ranges);
    await expect(create(model, "0")).resolves.toBeUndefined();
    await expect(create(model, "1")).rejects.toThrow(/fallback/);
  });
});

test.skipIf(webgpu.missing !== undefined)(
  `a pool of two workers on a GPU is one, which answers calls in line${why}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "multibox-webgpu-"));
    try {
      const spec = smallSpec();
      const weights = randomWeights(buildSsd(spec), 1);
      await writeBundle(join(folder, "small"), spec, weights, { source: "random numbers", licence: "none" });
      const options = { folder: join(folder, "small"), maxBatch: 2, minScore: 0.6 };
      const pool = await openDetector({ ...options, engine: "onnx:webgpu", workers: 2 });
      const cpu = await openDetector({ ...options, engine: "onnx:cpu", precision: "fp32", workers: 1 });
      const pictures = [drawPicture(200, 100, 1), drawPicture(96, 96, 2)];
      const wanted = (await cpu.detect(pictures)).detections;
      const [both, second] = await Promise.all([pool.detect(pictures), pool.detect([pictures[1]!])]);
      await Promise.all([pool.close(), cpu.close()]);
      expect([pool.slots, pool.info.engine, pool.info.reason]).toEqual([
        1,
        "onnx:webgpu, 1 thread",
        "it was asked for",
      ]);
      expect(wanted.every((found) => found.length > 0)).toBe(true);
      expect(both.detections.map((found) => found.length)).toEqual(wanted.map((found) => found.length));
      expect(second.detections[0]).toHaveLength(wanted[1]!.length);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

describeEngine(webgpu);
// SSD300 itself takes minutes where a processor stands for the GPU.
describeAgreement(webgpu, [1, 3], smallVggGraph);
