// The engines on a GPU where there is none: a sentence that says what is missing, no crash, and the CPU still works.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { hasCudaFiles, openOnnxCuda, openOnnxWebgpu } from "../../../src/model/engines/onnx-gpu.ts";
import { buildSsd } from "../../../src/model/networks/ssd.ts";
import { randomWeights } from "../support/random-weights.ts";
import { smallSpec } from "../support/small-spec.ts";

const graph = buildSsd(smallSpec());
const network = { graph, weights: randomWeights(graph, 1) };
const failsWith = (code: string, message: RegExp, hint: RegExp): Error =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message) as string,
    hint: expect.stringMatching(hint) as string,
  });

test.skipIf(hasCudaFiles())(
  "onnx:cuda says how its files are installed (only where they are not), and what it says exists",
  async () => {
    const hint = /^Run `npm install .* && node (node_modules\/onnxruntime-node\/script\/install\.js) /;
    const error = await openOnnxCuda(network, { threads: 0 }).catch((thrown: unknown) => thrown);
    expect(error).toEqual(failsWith("ENGINE_MISSING", /its CUDA files are not installed/, hint));
    const script = hint.exec((error as { hint: string }).hint)![1]!;
    const main = createRequire(import.meta.url).resolve("onnxruntime-node");
    expect(existsSync(join(main, "../../../..", script))).toBe(true);
  },
);

test("onnx:webgpu computes no int8", async () => {
  const opening = openOnnxWebgpu(network, { threads: 0, precision: "int8" });
  await expect(opening).rejects.toThrow(failsWith("PRECISION_UNAVAILABLE", /onnx:webgpu/, /--precision fp32/));
});

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("without any GPU (on Linux, x64)", () => {
  // In a process of its own: its graphics drivers print, and could take others with them.
  const script = `
    const { openEngine } = await import("./src/model/engines/open.ts");
    const { buildSsd } = await import("./src/model/networks/ssd.ts");
    const { randomWeights } = await import("./test/model/support/random-weights.ts");
    const { smallSpec } = await import("./test/model/support/small-spec.ts");
    const graph = buildSsd(smallSpec());
    const network = { graph, weights: randomWeights(graph, 1) };
    const failed = await openEngine("onnx:webgpu", network, { threads: 1 }).catch((error) => error);
    const { engine } = await openEngine("onnx:cpu", network, { threads: 1 });
    const { offsets } = await engine.run(new Uint8Array(96 * 96 * 3), 1);
    await engine.close();
    console.log(JSON.stringify({ code: failed.code, message: failed.message, hint: failed.hint, offsets: offsets.length }));
  `;

  test("onnx:webgpu is ENGINE_MISSING in a sentence, and onnx:cpu runs in the same process", async () => {
    const env = { ...process.env, VK_ICD_FILENAMES: "/nonexistent.json", VK_DRIVER_FILES: "/nonexistent.json" };
    const node = promisify(execFile)(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: new URL("../../../", import.meta.url),
      env,
    });
    const { stdout } = await node;
    expect(JSON.parse(stdout)).toEqual({
      code: "ENGINE_MISSING",
      message: "WebGPU finds no GPU that it can use.",
      hint: expect.stringContaining("libvulkan1") as string,
      offsets: 204 * 4,
    });
  });
});
