// An engine is chosen by name, and says why it is this one.
import { describe, expect, test } from "vitest";
import { openFastest } from "../../../src/model/engines/fastest.ts";
import { gpuDevices } from "../../../src/model/engines/gpu-devices.ts";
import { ENGINE_NAMES, isOnGpu, type NamedEngine, openEngine } from "../../../src/model/engines/open.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { defaultBundle } from "../../support/model.ts";
import { randomWeights } from "../support/random-weights.ts";
import { smallSpec } from "../support/small-spec.ts";

const fp32 = { threads: 1, precision: "fp32" as const };

test("onnx:cpu opens because it was asked for", async () => {
  const { name, engine, reason } = await openEngine("onnx:cpu", await defaultBundle(), fp32);
  await engine.close();
  expect([name, engine.description, reason]).toEqual(["onnx:cpu", "onnx:cpu, 1 thread", "it was asked for"]);
});

describe.skipIf(gpuDevices().any)("auto (where there is no GPU)", () => {
  test("opens onnx:cpu, and says that there is no GPU", async () => {
    const { name, engine, reason } = await openEngine("auto", await defaultBundle(), fp32);
    await engine.close();
    const why = "there is no GPU that an engine could use";
    expect([name, engine.description, reason]).toEqual(["onnx:cpu", "onnx:cpu, 1 thread", why]);
  });

  test("fails as onnx:cpu does where it cannot do what was asked", async () => {
    const { graph, weights } = await defaultBundle();
    const opening = openEngine("auto", { graph, weights }, { threads: 1, precision: "int8" });
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: "PRECISION_UNAVAILABLE" }) as Error);
  });
});

test("of real engines the fastest is kept, whichever opened first, and the reason has both times", async () => {
  const graph = buildSsd(smallSpec());
  const network = { graph, weights: randomWeights(graph, 1) };
  const names = ["tfjs:wasm", "onnx:cpu"] as const;
  const candidates = names.map((name) => ({
    name,
    open: async () => (await openEngine(name, network, fp32)).engine,
  }));
  const { name, engine, reason } = await openFastest(candidates, network);
  const { logits } = await engine.run(new Uint8Array(96 * 96 * 3), 1);
  await engine.close();
  expect(name).toBe("onnx:cpu");
  expect(reason).toMatch(/^it answered 8 pictures in [\d.]+ ms, tfjs:wasm (?:one )?in [\d.]+ ms$/);
  expect(logits).toHaveLength(204 * 7);
});

test("the engines on GPUs are those that are named so", () => {
  const names = ENGINE_NAMES.filter((name): name is NamedEngine => name !== "auto");
  expect(names.filter(isOnGpu)).toEqual(["onnx:webgpu", "onnx:cuda", "tfjs:gpu"]);
});
