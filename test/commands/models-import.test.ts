// `multibox models import`: a file becomes a model that runs; nothing is replaced or half written, and what does not fit is named.
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { importModel, type ImportOptions } from "../../src/commands/models-import.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { exportSafetensors } from "../../src/model/export/safetensors.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import { SPECS } from "../../src/model/specs.ts";
import { type Tensors, writeSafetensors } from "../../src/model/weights/safetensors.ts";
import { caffeModel } from "../model/support/caffemodels.ts";
import { call, dict, pickle, PROTOCOL_2, STOP, text, torchFile } from "../model/support/pickles.ts";
import { randomWeights } from "../model/support/random-weights.ts";
import { makeFolder } from "../support/ffmpeg.ts";

const SPEC = SPECS.find(({ name }) => name === "ssdlite-mobilenet-v2")!;
const weights = randomWeights(buildSsd(SPEC), 1);
const scalar: Tensors = new Map([["what.ever", { shape: [1], data: Float32Array.of(1) }]]);

let folder: Awaited<ReturnType<typeof makeFolder>>;
let out: string;
let printed: string[];
beforeEach(async () => {
  folder = await makeFolder();
  out = join(folder.path, "model");
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  await writeFile(file("own.safetensors"), writeSafetensors(weights));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await folder.remove();
});

const file = (name: string): string => join(folder.path, name);
const run = (name: string, options: Partial<ImportOptions> = {}): Promise<void> => {
  const defaults = { spec: SPEC.name, out, licence: "CC0-1.0", seed: 1, force: false, json: false };
  return importModel(file(name), { ...defaults, ...options });
};

const provenance = { source: "npm:tiny@1.0.0", licence: "MIT" };
const quantization = { method: "min-max", pictures: 1, ranges: { input: [-1, 1] as [number, number] } };
const writeExported = (): Promise<void> =>
  writeFile(
    file("exported.safetensors"),
    exportSafetensors({ spec: SPEC, graph: buildSsd(SPEC), weights, provenance, quantization }),
  );

describe("a file that fits", () => {
  test("becomes a model that says where it came from", async () => {
    await run("own.safetensors");
    const bundle = await readBundle(out);
    expect(bundle.spec).toEqual(SPEC);
    // Millions of numbers, of which an assertion would make lists.
    expect(Buffer.compare(writeSafetensors(bundle.weights), writeSafetensors(weights))).toBe(0);
    expect(bundle.provenance).toEqual({
      source: "own.safetensors",
      licence: "CC0-1.0",
      integrity: expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/),
    });
    expect(printed).toEqual([
      expect.stringMatching(
        /^Read multibox's own weights from \S+own\.safetensors: \d+ tensors, 4\.\d million values\.$/,
      ),
      `ssdlite-mobilenet-v2 is in ${out}; for example: multibox detect --model ${out} PICTURE`,
    ]);
  });

  test("of multibox's own export needs no spec, and becomes the model that it was", async () => {
    await writeExported();
    await importModel(file("exported.safetensors"), { out, seed: 1, force: false, json: true });
    const bundle = await readBundle(out);
    expect(bundle).toMatchObject({ spec: SPEC, provenance, quantization });
    expect(Buffer.compare(writeSafetensors(bundle.weights), writeSafetensors(weights))).toBe(0);
  });

  test("of multibox's own export has the licence that is given, and its own without", async () => {
    await writeExported();
    const options = { out, seed: 1, force: false, json: true };
    await importModel(file("exported.safetensors"), { ...options, licence: "CC0-1.0" });
    expect((await readBundle(out)).provenance).toEqual({ ...provenance, licence: "CC0-1.0" });
  });

  test("of multibox's own export keeps the ranges for int8 under its own spec, and no other", async () => {
    await writeExported();
    await run("exported.safetensors");
    expect(await readBundle(out)).toMatchObject({ quantization, provenance: { source: "exported.safetensors" } });
    await writeFile(file("other.json"), JSON.stringify({ ...SPEC, name: "other" }));
    await run("exported.safetensors", { spec: file("other.json"), force: true });
    expect((await readBundle(out)).quantization).toBeUndefined();
  });

  test("has no licence that nobody stated", async () => {
    await importModel(file("own.safetensors"), { spec: SPEC.name, out, seed: 1, force: false, json: true });
    expect((await readBundle(out)).provenance.licence).toBe("not stated");
  });

  test("but says nothing of its network needs a spec", async () => {
    await writeFile(file("weights.pth"), "");
    const wanted = { out, seed: 1, force: false, json: true };
    await expect(importModel(file("weights.pth"), wanted)).rejects.toMatchObject({ code: "SPEC_UNKNOWN" });
    await expect(importModel(file("own.safetensors"), wanted)).rejects.toMatchObject({ code: "WEIGHTS_UNREADABLE" });
    await expect(importModel(file("none.safetensors"), wanted)).rejects.toMatchObject({ code: "WEIGHTS_NOT_FOUND" });
  });

  test("is told of in JSON", async () => {
    await run("own.safetensors", { json: true });
    expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        spec: SPEC.name,
        folder: out,
        kind: "multibox's own weights",
        values: expect.any(Number),
        drawn: [],
        subsampled: [],
      },
    ]);
  });

  test("may have a spec of its own, by itself or in a model", async () => {
    const spec = { ...SPEC, name: "mine" };
    await writeFile(file("spec.json"), JSON.stringify(spec));
    await run("own.safetensors", { spec: file("spec.json") });
    expect((await readBundle(out)).spec).toEqual(spec);
    await run("own.safetensors", { spec: join(out, "model.json"), out: file("again") });
    expect((await readBundle(file("again"))).spec).toEqual(spec);
  });
});

describe("what is there", () => {
  test("is replaced only by force", async () => {
    await run("own.safetensors");
    const before = await readFile(join(out, "model.json"), "utf8");
    await expect(run("own.safetensors", { licence: "MIT" })).rejects.toMatchObject({
      code: "OUT_EXISTS",
      message: `There is a model in ${out} already.`,
    });
    expect(await readFile(join(out, "model.json"), "utf8")).toBe(before);
    await run("own.safetensors", { licence: "MIT", force: true });
    expect((await readBundle(out)).provenance.licence).toBe("MIT");
  });

  test("is never replaced where it is something else", async () => {
    await mkdir(out);
    await writeFile(join(out, "diary.txt"), "dear diary");
    await expect(run("own.safetensors", { force: true })).rejects.toMatchObject({
      code: "OUT_EXISTS",
      message: `${out} holds other things than a model: diary.txt.`,
    });
    await expect(run("own.safetensors", { out: file("own.safetensors") })).rejects.toMatchObject({
      code: "NOT_WRITABLE",
      message: `${file("own.safetensors")} is not a folder.`,
    });
    // A link to itself, since permissions do not stop an administrator.
    await symlink("loop", file("loop"));
    await expect(run("own.safetensors", { out: file("loop") })).rejects.toMatchObject({
      code: "NOT_WRITABLE",
      message: `${file("loop")} cannot be read (ELOOP).`,
    });
    await expect(run("loop", { out: file("new") })).rejects.toMatchObject({
      code: "WEIGHTS_NOT_FOUND",
      message: `${file("loop")} cannot be read (ELOOP).`,
    });
    expect(await readdir(out)).toEqual(["diary.txt"]);
  });
});

const hostile = torchFile(pickle(PROTOCOL_2, dict({ model: call("os", "system", text("true")) }), STOP));
test.each<[string, string, Uint8Array | undefined, string, RegExp]>([
  ["a pickle that calls a function", "net.pth", hostile, "WEIGHTS_UNSAFE", /asks for os\.system/],
  ["a file that is not there", "net.pth", undefined, "WEIGHTS_NOT_FOUND", /^There is no file \S+net\.pth\.$/],
  ["a format that is not known", "net.onnx", Buffer.of(8), "WEIGHTS_UNKNOWN", /no format that is known by its name/],
  ["another network's tensors", "net.safetensors", writeSafetensors(scalar), "WEIGHTS_UNKNOWN", /what\.ever\.$/],
  [
    "another network's layers",
    "net.caffemodel",
    caffeModel(scalar),
    "WEIGHTS_UNKNOWN",
    /first tensors are what\.weight/,
  ],
  ["a damaged file", "net.caffemodel", Buffer.of(1, 2, 3), "WEIGHTS_UNREADABLE", /not a readable Caffe model/],
])("%s is named, and nothing is written", async (_, name, bytes, code, message) => {
  if (bytes) await writeFile(file(name), bytes);
  await expect(run(name)).rejects.toMatchObject({
    name: "MultiboxError",
    code,
    message: expect.stringMatching(message),
  });
  expect((await readdir(folder.path)).filter((entry) => entry.startsWith("model"))).toEqual([]);
  expect(printed).toEqual([]);
});

test.each<[string, string, string | undefined, string, RegExp]>([
  ["not known", "ssd9000", undefined, "SPEC_UNKNOWN", /^There is no spec "ssd9000"\.$/],
  ["in no file", "none.json", undefined, "SPEC_INVALID", /it cannot be read: ENOENT/],
  ["not JSON", "a.json", "{", "SPEC_INVALID", /it is not JSON\.$/],
  ["not whole", "a.json", JSON.stringify({ ...SPEC, labels: undefined }), "SPEC_INVALID", /labels: /],
  [
    "of maps that do not fit",
    "a.json",
    JSON.stringify({ ...SPEC, maps: SPEC.maps.slice(1) }),
    "SPEC_INVALID",
    /the tiling has/,
  ],
  [
    "of more channels than memory",
    "a.json",
    JSON.stringify({ ...SPEC, extras: SPEC.extras.map((extra) => ({ ...extra, wide: 1e15 })) }),
    "SPEC_INVALID",
    /extras\.0\.wide: /,
  ],
  [
    "of more weights than memory, each layer by itself within bounds",
    "a.json",
    JSON.stringify({
      ...SPEC,
      separable: false,
      extras: SPEC.extras.map((extra) => ({ ...extra, wide: 65_536, narrow: 65_536 })),
    }),
    "SPEC_INVALID",
    /its network would have \d+ weights, and 536870912 are the most\.$/,
  ],
])("a spec that is %s is named", async (_, name, json, code, message) => {
  if (json !== undefined) await writeFile(file(name), json);
  const spec = name.endsWith(".json") ? file(name) : name;
  await expect(run("own.safetensors", { spec })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
