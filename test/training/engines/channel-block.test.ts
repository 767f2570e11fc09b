// How wide ONNX Runtime's blocks of channels are here.
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { channelBlock } from "../../../src/training/engines/channel-block.ts";

test("blocks are as wide as a vector of the CPU, or there are none", async () => {
  expect([0, 4, 8, 16]).toContain(await channelBlock(ort));
});

test("where ONNX Runtime has no maps in blocks, there are none, and nothing fails", async () => {
  const create = (): Promise<never> => Promise.reject(new Error("No schema registered for ReorderInput"));
  expect(await channelBlock({ ...ort, InferenceSession: { create } })).toBe(0);
});
