// Models on disk: written whole or not at all, and read only when every byte is the one that was written.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bundle, readBundle, writeBundle } from "../../src/model/bundle.ts";
import type { Tensors } from "../../src/model/weights/safetensors.ts";
import { defaultBundle, defaultModelFolder } from "../support/model.ts";
import { tinyDisk } from "./support/tiny-disk.ts";

const failsWith = (code: string, message: unknown): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message });

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

let root: string;
let bundle: Bundle;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-bundle-"));
  bundle = await defaultBundle();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a bundle", () => {
  test("is read as it was written", async () => {
    const folder = join(root, "round-trip");
    await writeBundle(folder, bundle.spec, bundle.weights, bundle.provenance);
    const read = await readBundle(folder);
    expect(read.spec).toEqual(bundle.spec);
    expect(read.provenance).toEqual(bundle.provenance);
    expect(read.graph).toEqual(bundle.graph);
    expect([...read.weights.keys()]).toEqual([...bundle.weights.keys()]);
    for (const [name, { shape, data }] of read.weights) {
      const wanted = bundle.weights.get(name)!;
      expect(shape, `weight ${name}`).toEqual(wanted.shape);
      // As bytes: millions of numbers take an assertion half a minute.
      expect(bytesOf(data).equals(bytesOf(wanted.data)), `weight ${name}`).toBe(true);
    }
    expect((await readdir(folder)).toSorted()).toEqual(["model.json", "weights.safetensors"]);
  });

  test("replaces an older one of its name, and leaves nothing else in the folder around it", async () => {
    const around = join(root, "around");
    await mkdir(around);
    const old = { ...bundle.provenance, source: "older" };
    for (const provenance of [old, bundle.provenance])
      await writeBundle(join(around, "model"), bundle.spec, bundle.weights, provenance);
    expect((await readBundle(join(around, "model"))).provenance).toEqual(bundle.provenance);
    expect(await readdir(around)).toEqual(["model"]);
  });

  test("where a file is in the way of its folder is NOT_WRITABLE", async () => {
    await writeFile(join(root, "file"), "");
    const writing = writeBundle(join(root, "file", "model"), bundle.spec, new Map(), bundle.provenance);
    await expect(writing).rejects.toThrow(failsWith("NOT_WRITABLE", expect.stringContaining(join(root, "file"))));
  });
});

describe("a damaged bundle is MODEL_CORRUPT", () => {
  const WEIGHTS = "weights.safetensors";

  /** A copy of the default model, damaged, and read. */
  async function damaged(damage: (folder: string) => Promise<void>): Promise<Bundle> {
    const folder = await mkdtemp(join(root, "damaged-"));
    try {
      await cp(defaultModelFolder(), folder, { recursive: true });
      await damage(folder);
      return await readBundle(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  test.each([
    ["the middle", (size: number) => Math.floor(size / 2)],
    ["the first place", () => 0],
    ["the last place", (size: number) => size - 1],
  ])("when one byte of the weights is changed, in %s", async (_, place) => {
    const reading = damaged(async (folder) => {
      const bytes = await readFile(join(folder, WEIGHTS));
      bytes[place(bytes.length)]! ^= 1;
      await writeFile(join(folder, WEIGHTS), bytes);
    });
    await expect(reading).rejects.toThrow(failsWith("MODEL_CORRUPT", expect.stringContaining("its SHA-256 differs")));
  });

  test.each([0, 7, 1_000_000])("when the weights end after %d bytes", async (bytes) => {
    const reading = damaged((folder) => truncate(join(folder, WEIGHTS), bytes));
    await expect(reading).rejects.toThrow(failsWith("MODEL_CORRUPT", expect.stringContaining(WEIGHTS)));
  });

  const edit =
    (change: (text: string) => string) =>
    async (folder: string): Promise<void> => {
      const file = join(folder, "model.json");
      await writeFile(file, change(await readFile(file, "utf8")));
    };
  test.each([
    ["is empty", edit(() => ""), "model.json is not JSON"],
    ["ends early", edit((text) => text.slice(0, 500)), "model.json is not JSON"],
    ["is something else", edit(() => "[1]"), "model.json: the file: "],
    ["has a format that is text", edit((text) => text.replace('"format": 1', '"format": "1"')), "model.json: format: "],
    ["has no labels", edit((text) => text.replace('"labels"', '"names"')), "model.json: spec.labels: "],
    ["has a number that is text", edit((text) => text.replace('"cells": 19', '"cells": "19"')), "spec.maps.0.cells: "],
    ["has no hash", edit((text) => text.replace(/"sha256": "\w+"/, '"sha256": "?"')), "weights.sha256: "],
  ])("when model.json %s", async (_, damage, why) => {
    await expect(damaged(damage)).rejects.toThrow(failsWith("MODEL_CORRUPT", expect.stringContaining(why)));
  });

  test("but not when model.json is of a later format: that is FILE_NEWER", async () => {
    const later = damaged(edit((text) => text.replace('"format": 1', '"format": 2')));
    await expect(later).rejects.toThrow(failsWith("FILE_NEWER", expect.stringContaining("its format is 2")));
  });

  test("when a weight has another shape than the network, or is missing", async () => {
    const name = "base.conv.bias";
    const reshaped = new Map(bundle.weights).set(name, { shape: [2, 16], data: bundle.weights.get(name)!.data });
    const fewer = new Map([...bundle.weights].filter(([key]) => key !== name));
    for (const [weights, why] of [
      [reshaped, "base.conv.bias should be 32 and is 2x16"],
      [fewer, "base.conv.bias should be 32 and is nothing"],
    ] satisfies [Tensors, string][]) {
      await writeBundle(join(root, "odd"), bundle.spec, weights, bundle.provenance);
      await expect(readBundle(join(root, "odd"))).rejects.toThrow(
        failsWith("MODEL_CORRUPT", expect.stringContaining(why)),
      );
    }
  });

  test("when its tiling is not that of the network", async () => {
    const reading = damaged(edit((text) => text.replace('"cells": 19', '"cells": 20')));
    await expect(reading).rejects.toThrow(failsWith("MODEL_CORRUPT", expect.stringContaining("20x20")));
  });
});

describe("a bundle that is not there is MODEL_NOT_FOUND", () => {
  test("whether its folder is missing, empty, a file, or has no weights", async () => {
    await mkdir(join(root, "empty"));
    await writeFile(join(root, "plain"), "");
    await mkdir(join(root, "half"));
    await cp(join(defaultModelFolder(), "model.json"), join(root, "half", "model.json"));
    for (const [name, file] of [
      ["missing", "model.json"],
      ["empty", "model.json"],
      ["plain", "model.json"],
      ["half", "weights.safetensors"],
    ] as const) {
      const message = `There is no model in ${join(root, name)}: ${file} is missing.`;
      await expect(readBundle(join(root, name))).rejects.toThrow(failsWith("MODEL_NOT_FOUND", message));
    }
  });
});

const disk = tinyDisk();
describe.skipIf(!disk)(`on a disk of one megabyte${disk ? "" : " (only root can mount one)"}`, () => {
  afterAll(() => disk?.unmount());

  test("a bundle that does not fit is DISK_FULL, leaves nothing behind, and leaves the older one as it was", async () => {
    const folder = join(disk!.path, "model");
    await writeBundle(folder, bundle.spec, new Map(), bundle.provenance);
    const before = await readFile(join(folder, "model.json"), "utf8");
    const writing = writeBundle(folder, bundle.spec, bundle.weights, bundle.provenance);
    await expect(writing).rejects.toThrow(failsWith("DISK_FULL", `There is no space left in ${disk!.path}.`));
    expect(await readdir(disk!.path)).toEqual(["model"]);
    expect(await readFile(join(folder, "model.json"), "utf8")).toBe(before);
  });
});
