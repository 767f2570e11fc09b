import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CaptureStore } from "../../../src/server/captures/capture-store.ts";
import { Retention } from "../../../src/server/retention.ts";
import { steady } from "../../../src/steady-scheduler.ts";
import type { Capture } from "../../../src/training/capture.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "multibox-captures-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const NOON = Date.UTC(2026, 0, 1, 12);
const JPEG = new Uint8Array(100);

function capture(n: number, changes: Partial<Capture> = {}): Capture {
  return {
    id: `2026-cam-${n}`,
    stream: "cam",
    seq: n,
    pts: n,
    time: new Date(NOON + n * 1000).toISOString(),
    reason: "every",
    width: 64,
    height: 48,
    bytes: JPEG.length,
    hash: "0000000000000000",
    model: { name: "m", version: "1" },
    proposed: [],
    objects: [],
    status: "new",
    ...changes,
  };
}

const warnings: string[] = [];
async function open(bounds: object = {}, retention?: Retention): Promise<CaptureStore> {
  warnings.length = 0;
  const store = new CaptureStore(folder, { maxCount: 10, maxBytes: 1e6, ...bounds }, retention);
  await store.load((sentence) => warnings.push(sentence));
  return store;
}

describe("CaptureStore", () => {
  it("has after a restart objects as a model labels them, also longer than a person may, or with a space at the end", async () => {
    const bbox = [1, 2, 3, 4] as [number, number, number, number];
    const objects = ["tench, ".repeat(20), "person ", ""].map((label) => ({ bbox, label }));
    const proposed = objects.map((object) => ({ ...object, score: 0.5 }));
    await (await open()).add(capture(1, { proposed, objects }), JPEG);
    expect((await open()).list()).toEqual([capture(1, { proposed, objects })]);
    expect(warnings).toEqual([]);
  });

  it("has after a restart what was kept and changed", async () => {
    const store = await open();
    await store.add(capture(1), JPEG);
    await store.add(capture(2), JPEG);
    const objects = [{ bbox: [1, 2, 3, 4] as [number, number, number, number], label: "dog" }];
    await store.change("2026-cam-1", { status: "accepted", objects });
    await store.remove("2026-cam-2");
    const again = await open();
    expect(again.list()).toEqual([capture(1, { status: "accepted", objects })]);
    expect(again.size).toEqual({ count: 1, bytes: 100 });
    expect(await readdir(folder)).toHaveLength(2);
  });

  it("finds by status, stream and label", async () => {
    const store = await open();
    await store.add(capture(1, { objects: [{ bbox: [0, 0, 1, 1], label: "dog" }] }), JPEG);
    await store.add(capture(2, { stream: "yard", status: "skipped" }), JPEG);
    expect(store.list({ label: "dog" }).map(({ seq }) => seq)).toEqual([1]);
    expect(store.list({ stream: "yard" }).map(({ seq }) => seq)).toEqual([2]);
    expect(store.list({ status: "new" }).map(({ seq }) => seq)).toEqual([1]);
  });

  it("lets the oldest go that nobody has accepted, by number, bytes and age", async () => {
    const store = await open({ maxCount: 3 });
    await store.add(capture(1, { status: "accepted" }), JPEG);
    for (const n of [2, 3, 4]) await store.add(capture(n), JPEG);
    expect(store.list().map(({ seq }) => seq)).toEqual([1, 3, 4]);

    const small = await open({ maxBytes: 250 });
    await small.add(capture(5), JPEG);
    expect(small.list().map(({ seq }) => seq)).toEqual([1, 5]);

    let hours = 0;
    const watch = { now: () => NOON + 60e3 + hours * 3600e3, heldMs: () => 0 };
    const clock = steady({ now: () => hours * 3600e3 });
    const young = await open({}, new Retention({ watch, maxAgeMs: 86_400_000, clock }));
    hours = 48;
    await young.add(capture(60 + hours * 3600), JPEG);
    expect(young.list().map(({ seq }) => seq)).toEqual([1, 60 + hours * 3600]);
  });

  it("lets a tenth of them go for their age in an hour, and none while the clock is not trusted", async () => {
    let [wall, held] = [NOON, 0];
    let passed = 0;
    const retention = new Retention({
      watch: { now: () => wall, heldMs: () => held },
      maxAgeMs: 30 * 86_400_000,
      clock: steady({ now: () => passed }),
    });
    const store = await open({ maxCount: 1000 }, retention);
    for (let n = 0; n < 40; n++) await store.add(capture(n), JPEG);
    const add = async (hours: number): Promise<number> => {
      passed += hours * 3600e3;
      wall += hours * 3600e3;
      await store.add(capture(wall), JPEG);
      return store.list().filter(({ seq }) => seq < 40).length;
    };
    // The clock shows a time 31 days ahead.
    wall += 31 * 86_400_000;
    held = 86_400_000;
    expect(await add(0)).toBe(40);
    held = 0;
    expect(await add(0)).toBe(40);
    const counts: number[] = [];
    for (let minute = 0; minute < 60; minute++) counts.push(await add(1 / 60));
    // There are a hundred in the end.
    expect(counts.at(-1)).toBeGreaterThanOrEqual(30);
    expect(counts.at(-1)).toBeLessThan(38);
  });

  it("takes no more where all are accepted, and loses none", async () => {
    const store = await open({ maxCount: 1 });
    await store.add(capture(1, { status: "accepted" }), JPEG);
    await expect(store.add(capture(2), JPEG)).rejects.toMatchObject({ code: "CAPTURES_FULL" });
    expect(store.list().map(({ seq }) => seq)).toEqual([1]);
  });

  it("deletes none to make room for one that cannot be written or is too large, and replaces one of the same frame", async () => {
    const store = await open({ maxCount: 2, maxBytes: 250 });
    await store.add(capture(1, { status: "accepted" }), JPEG);
    await store.add(capture(2), JPEG);
    await mkdir(join(folder, "2026-cam-3.capture.json"));
    await expect(store.add(capture(3), JPEG)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    const large = new Uint8Array(200);
    await expect(store.add(capture(4, { bytes: large.length }), large)).rejects.toMatchObject({
      code: "CAPTURES_FULL",
    });
    expect(store.list().map(({ seq }) => seq)).toEqual([1, 2]);
    await rm(join(folder, "2026-cam-3.capture.json"), { recursive: true });
    expect((await readdir(folder)).sort()).toEqual(
      [1, 2].flatMap((n) => [`2026-cam-${n}.capture.json`, `2026-cam-${n}.jpg`]),
    );
    await store.add(capture(2, { reason: "call" }), JPEG);
    expect(store.size).toEqual({ count: 2, bytes: 200 });
    await store.add(capture(3), JPEG);
    expect(store.list().map(({ seq }) => seq)).toEqual([1, 3]);
    expect(await readdir(folder)).toHaveLength(4);
  });

  it("removes what a killed server left half written, sets an image without a sidecar aside, and leaves a damaged sidecar and its image alone", async () => {
    const store = await open();
    await store.add(capture(1), JPEG);
    await writeFile(join(folder, "2026-cam-2.jpg"), JPEG);
    await writeFile(join(folder, "2026-cam-3.capture.json.77.tmp"), "{");
    await writeFile(join(folder, "2026-cam-4.capture.json"), '{"id":');
    await writeFile(join(folder, "2026-cam-4.jpg"), JPEG);
    await writeFile(join(folder, "notes.tmp"), "a user's");
    const again = await open();
    expect(await readdir(folder)).toHaveLength(7);
    const aside: string[] = [];
    warnings.length = 0;
    await again.load((sentence) => warnings.push(sentence), { take: (paths) => void aside.push(...paths) });
    expect(aside).toEqual([join(folder, "2026-cam-2.jpg")]);
    expect(again.list().map(({ seq }) => seq)).toEqual([1]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("2026-cam-4.capture.json: it is not a whole JSON file");
    expect((await readdir(folder)).sort()).toEqual([
      "2026-cam-1.capture.json",
      "2026-cam-1.jpg",
      "2026-cam-2.jpg",
      "2026-cam-4.capture.json",
      "2026-cam-4.jpg",
      "notes.tmp",
    ]);
  });

  it("says which capture it does not have", async () => {
    const store = await open();
    expect(() => store.get("nope")).toThrow(expect.objectContaining({ code: "CAPTURE_UNKNOWN" }));
    await expect(store.change("nope", { status: "skipped" })).rejects.toMatchObject({ code: "CAPTURE_UNKNOWN" });
  });
});
