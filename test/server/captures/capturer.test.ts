import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CaptureRules } from "../../../src/pipeline/stream.ts";
import { CaptureStore } from "../../../src/server/captures/capture-store.ts";
import { Capturer, type CapturerOptions } from "../../../src/server/captures/capturer.ts";
import type { Capture } from "../../../src/training/capture.ts";
import { openCaptures } from "../../../src/training/capture-set.ts";
import { HeldEncoder } from "../../support/held-encoder.ts";
import { found, RED, ScriptedPipeline } from "../../support/scripted-pipeline.ts";

let folder: string;
let pipeline: ScriptedPipeline;
let encoder: HeldEncoder;
let store: CaptureStore;
const leftOut: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-capturer-"));
  pipeline = new ScriptedPipeline();
  pipeline.addStream("cam");
  encoder = new HeldEncoder();
  store = new CaptureStore(folder, { maxCount: 10, maxBytes: 1e7 });
  leftOut.length = 0;
});
afterEach(async () => {
  await encoder.close();
  await rm(folder, { recursive: true, force: true });
});

let now = 0;
function capturer(rules: CaptureRules | undefined, options: Partial<CapturerOptions> = {}): Capturer {
  return new Capturer({
    pipeline,
    store,
    jpeg: encoder,
    rulesOf: () => rules,
    onLeftOut: (_, why) => leftOut.push(why),
    now: () => now,
    ...options,
  });
}

/** Plays frames to a capturer with these rules until one is kept. */
function keptBy(rules: CaptureRules, play: () => void): Promise<Capture> {
  return new Promise((onKept) => {
    capturer(rules, { onKept });
    play();
    encoder.letGo();
  });
}

describe("Capturer", () => {
  it("keeps the whole frame with its detections as proposals", async () => {
    const kept = await keptBy({ everySeconds: 1 }, () => pipeline.show("cam", [found("dog", 0.8)], RED));
    expect(store.list()).toEqual([kept]);
    expect(kept).toMatchObject({ stream: "cam", seq: 0, reason: "every", width: 320, height: 180, status: "new" });
    expect(kept.proposed).toEqual([{ bbox: [10, 20, 30.5, 40.25], score: 0.8, label: "dog" }]);
    expect(kept.objects).toEqual([{ bbox: [10, 20, 30.5, 40.25], label: "dog" }]);
    const { width, height } = await sharp(await readFile(join(folder, `${kept.id}.jpg`))).metadata();
    expect([width, height]).toEqual([320, 180]);
    expect(pipeline.pool.lent).toBe(0);
  });

  it("makes a data set of what was accepted", async () => {
    const kept = await keptBy({ everySeconds: 1 }, () => pipeline.show("cam", [found("dog", 0.8)]));
    await expect(openCaptures({ folder })).rejects.toMatchObject({ code: "DATASET_NOT_FOUND" });
    await store.change(kept.id, { status: "accepted" });
    const { categories, pictures } = await openCaptures({ folder });
    expect(categories).toEqual([{ id: 1, name: "dog" }]);
    expect(pictures).toMatchObject([
      { width: 320, height: 180, objects: [{ categoryId: 1, bbox: [10, 20, 30.5, 40.25] }] },
    ]);
  });

  it("looks at no picture and holds none where a stream has no rules", () => {
    capturer(undefined);
    pipeline.show("cam", [found("dog", 0.8)]);
    expect(encoder.asked).toEqual([]);
    expect(pipeline.pool.lent).toBe(0);
  });

  it("leaves out what looks like a capture that is there", async () => {
    await keptBy({ everySeconds: 1 }, () => pipeline.show("cam"));
    now += 1500;
    pipeline.show("cam");
    expect(leftOut).toEqual(["similar"]);
    expect(encoder.asked).toHaveLength(1);
  });

  it("leaves out what looks like a frame of the same stream that is still being encoded", () => {
    pipeline.addStream("other");
    capturer({ share: 1, minGapSeconds: 0 }, { random: () => 0 });
    for (const stream of ["cam", "cam", "other"]) pipeline.show(stream);
    expect([leftOut, encoder.asked.length]).toEqual([["similar"], 2]);
  });

  it("never holds more than two frames, however slow the encoder is", () => {
    capturer({ share: 1, minGapSeconds: 0, skipSimilar: 0 }, { random: () => 0 });
    for (const stream of ["a", "b", "c", "d", "e"]) {
      pipeline.addStream(stream);
      now += 100;
      pipeline.show(stream);
    }
    expect(leftOut).toEqual(["busy", "busy", "busy"]);
    expect(pipeline.pool.lent).toBe(2);
  });

  it("gives the frame back where the encoder fails, and says so", async () => {
    const errors: unknown[] = [];
    capturer({ everySeconds: 1 }, { onLeftOut: (_, why, error) => errors.push(why, error) });
    pipeline.show("cam");
    encoder.fail(new Error("no"));
    await new Promise(setImmediate);
    expect(errors).toEqual(["failed", new Error("no")]);
    expect(pipeline.pool.lent).toBe(0);
  });
});
