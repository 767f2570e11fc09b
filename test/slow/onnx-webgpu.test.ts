// ONNX Runtime on WebGPU: what every engine must do, the paper's network, and nothing left to the CPU.
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { compileOnnx } from "../../src/model/compile/onnx.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { SPECS } from "../../src/model/specs.ts";
import { describeAgreement } from "../model/engines/agreement.ts";
import { onnxWebgpu } from "../model/engines/cases.ts";
import { describeEngine } from "../model/engines/contract.ts";
import { everyKindOfNode } from "../model/support/every-kind.ts";
import { randomWeights } from "../model/support/random-weights.ts";

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

describeEngine(webgpu);
describeAgreement(webgpu, [1]);
