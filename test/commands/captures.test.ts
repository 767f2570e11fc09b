// Captures go out as data sets of other programs, are corrected there, and come back.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import sharp from "sharp";
import { exportCaptures, importCaptures } from "../../src/commands/captures.ts";
import { CAPTURE_FORMATS } from "../../src/commands/captures-command.ts";
import { CaptureStore } from "../../src/server/captures/capture-store.ts";
import { lockDataDir } from "../../src/server/data-dir.ts";
import type { Capture, CapturedObject } from "../../src/training/capture.ts";
import { openDataset } from "../../src/training/dataset.ts";
import { drawPicture } from "../model/support/pictures.ts";

const BOUNDS = { maxCount: 100, maxBytes: 1e8 };
const DOG: CapturedObject = { bbox: [10, 20, 30, 16], label: "dog" };

let root: string;
let place: { dataDir: string; bounds: typeof BOUNDS; json: boolean };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-captures-"));
  place = { dataDir: join(root, "data"), bounds: BOUNDS, json: true };
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

async function stored(): Promise<CaptureStore> {
  const store = new CaptureStore(join(place.dataDir, "captures"), BOUNDS);
  await store.load((sentence) => expect.unreachable(sentence));
  return store;
}

async function keep(id: string, objects: CapturedObject[], status: Capture["status"] = "accepted"): Promise<void> {
  const { data, width, height } = drawPicture(64, 48, id.length);
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  const facts = { stream: "yard", seq: 1, pts: 1, time: "2026-01-01T12:00:00.000Z", reason: "call" };
  const made = { width, height, bytes: jpeg.length, hash: "0".repeat(16), model: { name: "m", version: "1" } };
  const store = await stored();
  await store.add({ id, ...facts, ...made, proposed: [], objects, status }, jpeg);
}

describe("multibox captures", () => {
  test.each(["coco", "voc"] as const)("come back from %s as they went", async (format) => {
    await keep("20260101T1-yard-1", [DOG, { bbox: [0, 0, 64, 48], label: "yard & garden" }]);
    await keep("20260101T2-yard-2", []);
    await keep("20260101T3-yard-3", [DOG], "new");
    const out = join(root, format);
    await exportCaptures({ ...place, out, format, status: "accepted" });
    const { pictures, categories } = await openDataset({ folder: out });
    expect(pictures.map(({ objects }) => objects.length)).toEqual([2, 0]);
    expect(categories.map(({ name }) => name)).toEqual(["dog", "yard & garden"]);
    expect(pictures[0]!.objects[0]!.bbox).toEqual(DOG.bbox);
    const before = (await stored()).list();
    await importCaptures(out, { ...place, status: "accepted" });
    expect((await stored()).list()).toEqual(before);
  });

  test("takes what was corrected elsewhere, and pictures that are new", async () => {
    await keep("20260101T1-yard-1", [DOG]);
    const out = join(root, "coco");
    await exportCaptures({ ...place, out, format: "coco", status: "all" });
    const file = join(out, "instances.json");
    const coco = JSON.parse(await readFile(file, "utf8")) as {
      images: object[];
      annotations: { bbox: number[] }[];
    };
    coco.annotations[0]!.bbox = [1, 2, 3, 4];
    coco.images.push({ id: 77, file_name: "new.png", width: 64, height: 48 });
    await writeFile(file, JSON.stringify(coco));
    const { data, width, height } = drawPicture(64, 48, 5);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(join(out, "images", "new.png"));
    await importCaptures(out, { ...place, status: "new" });
    const [corrected, added] = (await stored()).list();
    expect(corrected).toMatchObject({ objects: [{ bbox: [1, 2, 3, 4], label: "dog" }], status: "new" });
    expect(added).toMatchObject({ stream: "import", reason: "import", objects: [], width: 64, status: "new" });
    expect((await sharp(join(place.dataDir, "captures", `${added!.id}.jpg`)).metadata()).format).toBe("jpeg");
  });

  test("go out in every form, with their pictures", async () => {
    await keep("20260101T1-yard-1", [DOG]);
    for (const format of CAPTURE_FORMATS) {
      const out = join(root, format);
      await exportCaptures({ ...place, out, format, status: "accepted" });
      const folder = format === "voc" ? "JPEGImages" : "images";
      expect(existsSync(join(out, folder, "20260101T1-yard-1.jpg"))).toBe(true);
    }
  });

  test("says why nothing is written, and leaves nothing behind", async () => {
    const out = join(root, "out");
    const nothing = exportCaptures({ ...place, out, format: "coco", status: "accepted" });
    await expect(nothing).rejects.toMatchObject({ code: "CAPTURE_UNKNOWN" });
    await keep("20260101T1-yard-1", [DOG]);
    const there = exportCaptures({ ...place, out: place.dataDir, format: "coco", status: "accepted" });
    await expect(there).rejects.toMatchObject({ code: "OUT_EXISTS" });
    expect(existsSync(out)).toBe(false);
  });

  test("is refused while a server runs", async () => {
    await keep("20260101T1-yard-1", [DOG]);
    const out = join(root, "coco");
    await exportCaptures({ ...place, out, format: "coco", status: "accepted" });
    const unlock = lockDataDir(place.dataDir);
    try {
      await expect(importCaptures(out, { ...place, status: "new" })).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
    } finally {
      unlock();
    }
  });
});

describe("images that another tool renamed", () => {
  /** Exports both captures, renames their images, and says in COCO's file what they are called now. */
  async function renamed(nameOf: (id: string, i: number) => string): Promise<string> {
    await keep("20260101T1-yard-1", [DOG]);
    await keep("20260101T2-yard-22", [DOG]);
    const out = join(root, "coco");
    await exportCaptures({ ...place, out, format: "coco", status: "all" });
    const file = join(out, "instances.json");
    const coco = JSON.parse(await readFile(file, "utf8")) as {
      images: { file_name: string }[];
      annotations: { bbox: number[] }[];
    };
    for (const one of coco.annotations) one.bbox = [1, 2, 3, 4];
    for (const [i, image] of coco.images.entries()) {
      const name = nameOf(image.file_name.replace(/\.jpg$/, ""), i);
      await rename(join(out, "images", image.file_name), join(out, "images", name));
      image.file_name = name;
    }
    await writeFile(file, JSON.stringify(coco));
    return out;
  }

  test.each([
    ["a prefix, as Label Studio does", (id: string) => `1a2b3c4d-${id}.jpg`],
    ["a part behind the name, as Roboflow does", (id: string) => `${id}_jpg.rf.0123abcd.jpg`],
    ["other names, with the same bytes", (_: string, i: number) => `frame_00000${i}.jpg`],
  ])("with %s are the captures that they were", async (_, nameOf) => {
    const out = await renamed(nameOf);
    await importCaptures(out, { ...place, status: "accepted" });
    const all = (await stored()).list();
    expect(all.map(({ id, objects }) => [id, objects])).toEqual([
      ["20260101T1-yard-1", [{ bbox: [1, 2, 3, 4], label: "dog" }]],
      ["20260101T2-yard-22", [{ bbox: [1, 2, 3, 4], label: "dog" }]],
    ]);
  });

  test("and that could be several captures are refused before anything is changed", async () => {
    await keep("yard-22", [DOG]);
    const out = await renamed((id) => `1a2b3c4d-${id}.jpg`);
    // The bytes decide, until they are changed.
    await importCaptures(out, { ...place, status: "accepted" });
    const { data, width, height } = drawPicture(64, 48, 99);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(
      join(out, "images/1a2b3c4d-20260101T2-yard-22.jpg"),
    );
    const before = (await stored()).list();
    await expect(importCaptures(out, { ...place, status: "new" })).rejects.toMatchObject({
      code: "CAPTURE_AMBIGUOUS",
      message: expect.stringMatching(/could be any of the captures .*"yard-22"/) as string,
    });
    expect((await stored()).list()).toEqual(before);
  });

  test("and that would be one capture twice are refused, and both are named", async () => {
    const out = await renamed((_, i) => `${"ab"[i]}-20260101T1-yard-1.jpg`);
    await expect(importCaptures(out, { ...place, status: "new" })).rejects.toThrow(
      /images\/a-20260101T1-yard-1.jpg and .*images\/b-20260101T1-yard-1.jpg are both the capture/,
    );
  });
});
