// An engine is chosen by name, and says why it is this one.
import { expect, test } from "vitest";
import { openEngine } from "../../../src/model/engines/open.ts";
import { defaultBundle } from "../../support/model.ts";

test.each([
  ["auto", "it is fast on any CPU"],
  ["onnx:cpu", "it was asked for"],
] as const)("%s opens onnx:cpu, because %s", async (name, why) => {
  const { engine, reason } = await openEngine(name, await defaultBundle(), { threads: 1 });
  try {
    expect(engine.description).toBe("onnx:cpu, 1 thread");
    expect(reason).toBe(why);
  } finally {
    await engine.close();
  }
});
