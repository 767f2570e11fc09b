// `multibox quantize` writes a model that runs in int8, leaves out what it cannot read, and writes nothing where it fails.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import sharp from "sharp";
import { quantizeModel, type QuantizeOptions } from "../../src/commands/quantize.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { observedNodes } from "../../src/model/compile/int8-plan.ts";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { drawPicture } from "../model/support/pictures.ts";
import { DEFAULT_MODEL, testCacheDir } from "../support/model.ts";

const failsWith = (code: string, message: string): unknown =>
  expect.objectContaining({ name: "MultiboxError", code, message });

describe("multibox quantize", () => {
  let root: string;
  let options: QuantizeOptions;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "multibox-quantize-"));
    const [data, out] = [join(root, "pictures"), join(root, "model")];
    await mkdir(join(data, "more"), { recursive: true });
    options = {
      model: DEFAULT_MODEL,
      cacheDir: testCacheDir(),
      data,
      out,
      method: "min-max",
      percentile: 99.99,
      limit: 10,
      force: false,
      json: true,
    };
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(root, { recursive: true, force: true });
  });

  async function addPicture(name: string, seed: number): Promise<void> {
    const { data, width, height } = drawPicture(64, 48, seed);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(join(options.data, name));
  }

  test("writes a model with a range for each node that int8 needs, which runs in int8", async () => {
    const print = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await addPicture("a.png", 1);
    await addPicture("more/b.jpg", 2);
    await quantizeModel(options);
    const bundle = await readBundle(options.out);
    const ranges = observedNodes(bundle.graph);
    expect(bundle.quantization).toMatchObject({ method: "min-max", pictures: 2 });
    expect([...bundle.ranges!.keys()]).toEqual(ranges);
    expect(JSON.parse(print.mock.lastCall![0] as string)).toEqual({
      model: DEFAULT_MODEL,
      folder: options.out,
      method: "min-max",
      pictures: 2,
      ranges: ranges.length,
    });
    const engine = await openOnnxCpu(bundle, { threads: 1, precision: "int8" });
    expect(engine.description).toBe("onnx:cpu int8, 1 thread");
    await engine.close();
  });

  test("takes as many pictures as it may, and names those that cannot be read", async () => {
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    const complain = vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (let i = 0; i < 5; i++) await addPicture(`${i}.png`, i);
    await writeFile(join(options.data, "1.png"), "no picture");
    // Evenly chosen of five: the first, the second and the fourth.
    await quantizeModel({ ...options, limit: 3, method: "percentile" });
    const { quantization } = await readBundle(options.out);
    expect(quantization).toMatchObject({ method: "percentile 99.99", pictures: 2 });
    expect(complain.mock.calls).toEqual([[expect.stringMatching(/^left out: .*1\.png: PICTURE_UNREADABLE: /)]]);
  });

  test("a model is not replaced unless it is asked for", async () => {
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    await addPicture("a.png", 1);
    await quantizeModel(options);
    const again = quantizeModel(options);
    await expect(again).rejects.toThrow(failsWith("OUT_EXISTS", `There is a model in ${options.out} already.`));
    await expect(quantizeModel({ ...options, force: true })).resolves.toBeUndefined();
  });

  test("a folder that is not there, or has no pictures, is named, and nothing is written", async () => {
    const missing = join(root, "elsewhere");
    await expect(quantizeModel({ ...options, data: missing })).rejects.toThrow(
      failsWith("DATASET_NOT_FOUND", `There is no folder ${missing}.`),
    );
    await writeFile(join(options.data, "notes.txt"), "no picture");
    await expect(quantizeModel(options)).rejects.toThrow(
      failsWith("DATASET_INVALID", `There is no JPEG or PNG in ${options.data}.`),
    );
    expect(existsSync(options.out)).toBe(false);
  });
});
