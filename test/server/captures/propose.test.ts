// New proposals for captures: what is replaced, what a person's work is left alone, and what happens to files that cannot be read.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Detection } from "../../../src/model/detection.ts";
import type { Detector } from "../../../src/model/detector.ts";
import { CaptureStore } from "../../../src/server/captures/capture-store.ts";
import { propose } from "../../../src/server/captures/propose.ts";
import type { Capture } from "../../../src/training/capture.ts";
import { captureFiles } from "../../../src/training/capture-set.ts";

const CAR: Detection = { bbox: [1, 2, 20, 10], score: 0.8, label: "car", classId: 3 };
const DOG: Detection = { bbox: [30, 2, 20, 10], score: 0.6, label: "dog", classId: 18 };
const GRID = { columns: 1, rows: 1 };

/** Finds the same on each image; `before` runs first. */
function detectorOf(found: readonly Detection[], before: () => Promise<unknown> | void = () => {}): Detector {
  return {
    info: { model: { name: "better", version: "7" }, labels: ["car", "dog"], engine: "none", reason: "a test" },
    slots: 1,
    maxBatch: 1,
    detect: async (images) => {
      await before();
      return { detections: images.map(() => [...found]), inferMs: 0 };
    },
    warmUp: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

let folder: string;
let store: CaptureStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-propose-"));
  store = new CaptureStore(folder, { maxCount: 100, maxBytes: 1e8 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function keep(id: string, fields: Partial<Capture> = {}): Promise<void> {
  const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: "grey" } })
    .jpeg()
    .toBuffer();
  const facts = { stream: "yard", seq: 1, pts: 1, time: "2026-01-01T12:00:00.000Z", reason: "call" };
  const made = { width: 64, height: 48, bytes: jpeg.length, hash: "0".repeat(16), model: { name: "m", version: "1" } };
  const boxes = {
    proposed: [{ bbox: [0, 0, 5, 5] as [number, number, number, number], score: 0.5, label: "car" }],
    objects: [{ bbox: [0, 0, 5, 5] as [number, number, number, number], label: "car" }],
  };
  await store.add({ id, ...facts, ...made, ...boxes, status: "new", ...fields }, jpeg);
}

test("captures that nobody has reviewed get new proposals, and say which model made them; others stay as they are", async () => {
  await keep("untouched");
  await keep("accepted", { status: "accepted" });
  await keep("skipped", { status: "skipped" });
  await keep("corrected", { objects: [] });
  const before = store.list();
  const steps: number[] = [];
  const done = await propose(store, store.list(), {
    detector: detectorOf([CAR, DOG]),
    grid: GRID,
    labels: ["dog"],
    onProgress: (at) => steps.push(at),
  });
  expect(done).toEqual({ captures: 1, boxesBefore: 1, boxes: 1, reviewed: 3, failures: [], isStopped: false });
  expect(store.get("untouched")).toMatchObject({
    model: { name: "better", version: "7" },
    proposed: [{ bbox: DOG.bbox, score: 0.6, label: "dog" }],
    objects: [{ bbox: DOG.bbox, label: "dog" }],
    status: "new",
  });
  for (const id of ["accepted", "skipped", "corrected"])
    expect(store.get(id)).toEqual(before.find((capture) => capture.id === id));
  expect(steps).toEqual([0, 1, 2, 3, 4]);
  // It is on disk, and is proposed again with another look.
  const again = new CaptureStore(folder, { maxCount: 100, maxBytes: 1e8 });
  await again.load((sentence) => expect.unreachable(sentence));
  expect(again.get("untouched")).toEqual(store.get("untouched"));
});

test("what is reviewed while the detector looks is not overwritten", async () => {
  await keep("a");
  const review = (): Promise<unknown> => store.change("a", { objects: [], status: "accepted" });
  const done = await propose(store, store.list(), { detector: detectorOf([CAR], review), grid: GRID });
  expect(done).toMatchObject({ captures: 0, reviewed: 1 });
  expect(store.get("a")).toMatchObject({ status: "accepted", objects: [], model: { name: "m" } });
});

test("images that are gone or broken are named, and the others go on; a stop keeps what is done", async () => {
  for (const id of ["broken", "folder", "gone", "well", "well2"]) await keep(id);
  await writeFile(captureFiles(folder, "broken").picture, "no image");
  await rm(captureFiles(folder, "gone").picture);
  await rm(captureFiles(folder, "folder").picture);
  await mkdir(captureFiles(folder, "folder").picture);
  const stop = new AbortController();
  const detector = detectorOf([CAR], () => stop.abort());
  const done = await propose(store, store.list(), { detector, grid: GRID, signal: stop.signal });
  expect(done).toMatchObject({ captures: 1, isStopped: true });
  const sentences = [/^broken: /, /^folder: .*EISDIR/, /^gone: .*ENOENT/];
  expect(done.failures).toEqual(sentences.map((text): unknown => expect.stringMatching(text)));
  expect([store.get("well").model.name, store.get("well2").model.name]).toEqual(["better", "m"]);
});
