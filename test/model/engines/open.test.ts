// An engine is chosen by name, and says why it is this one.
import { describe, expect, test } from "vitest";
import { gpuDevices } from "../../../src/model/engines/gpu-devices.ts";
import { ENGINE_NAMES, isOnGpu, type NamedEngine, openEngine } from "../../../src/model/engines/open.ts";
import { defaultBundle } from "../../support/model.ts";

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

test("the engines on GPUs are those that are named so", () => {
  const names = ENGINE_NAMES.filter((name): name is NamedEngine => name !== "auto");
  expect(names.filter(isOnGpu)).toEqual(["onnx:webgpu", "onnx:cuda", "tfjs:gpu"]);
});
