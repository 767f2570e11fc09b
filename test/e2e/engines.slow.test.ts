// The program on each engine: the same detections, in worker threads too, and no chatter from the libraries beneath.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import type { Detection } from "../../src/model/detection.ts";
import { findTensorFlow } from "../model/support/tensorflow.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { testCacheDir } from "../support/model.ts";
import { runMultibox } from "../support/multibox.ts";

// This process's own environment has what looking for TensorFlow has set.
const ENV = { TF_NUM_INTRAOP_THREADS: undefined, TF_CPP_MIN_LOG_LEVEL: undefined, CUDA_VISIBLE_DEVICES: undefined };
// TensorFlow says this before anybody can tell it to be silent.
const NOTICE = /^WARNING: All log messages before absl::InitializeLog.*\n.*oneDNN custom operations are on\..*\n\s*/;

const { missing, usesGpu } = findTensorFlow("tfjs:cpu");
let folder: string;
let picture: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-engines-"));
  picture = join(folder, "car.jpg");
  await ffmpeg("-ss 1.5 -i", await demoClip(testCacheDir()), "-frames:v 1 -q:v 2", picture);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `multibox detect --json` finds in the picture, and what else it said. */
async function detect(engine: string, ...options: string[]): Promise<{ detections: Detection[]; stderr: string }> {
  const run = await runMultibox(["detect", picture, "--json", "--engine", engine, ...options], ENV);
  expect(run).toMatchObject({ code: 0 });
  return {
    stderr: run.stderr.replace(NOTICE, ""),
    detections: (JSON.parse(run.stdout) as { detections: Detection[] }).detections,
  };
}

describe.each([
  ["tfjs:cpu", missing],
  ["tfjs:wasm", undefined],
])("%s", (engine, why) => {
  test.skipIf(why !== undefined)(`finds what onnx:cpu finds, and is silent${why ? ` (${why})` : ""}`, async () => {
    const { detections: expected } = await detect("onnx:cpu", "--precision", "fp32");
    const { detections, stderr } = await detect(engine, "--workers", "2");
    expect(stderr).toBe("");
    expect(expected.length).toBeGreaterThan(0);
    expect(detections.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    for (const [i, { score, bbox }] of detections.entries()) {
      expect(score).toBeCloseTo(expected[i]!.score, 3);
      for (const [side, value] of bbox.entries()) expect(value).toBeCloseTo(expected[i]!.bbox[side]!, 0);
    }
  });
});

test.skipIf(missing !== undefined || usesGpu)("tfjs:gpu without a GPU is a sentence, and exit code 1", async () => {
  const { code, stdout, stderr } = await runMultibox(["detect", picture, "--engine", "tfjs:gpu"], ENV);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr.replace(NOTICE, "")).toMatch(/^multibox: ENGINE_MISSING: TensorFlow found no GPU .+\n$/);
});
