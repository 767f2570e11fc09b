// `multibox export` as people run it: what it writes where, and the mistakes that it stops at before it writes anything.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importSafetensors } from "../../src/model/export/safetensors.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { DEFAULT_MODEL, defaultBundle, defaultModelFolder } from "../support/model.ts";
import { runMultibox } from "../support/multibox.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const at = (...path: string[]): string => join(folder.path, ...path);
const exportTo = (format: string, out: string, ...args: string[]): ReturnType<typeof runMultibox> =>
  runMultibox(["export", "--format", format, "--out", out, ...args]);

describe("multibox export", () => {
  it("writes an ONNX file of raw heads, and with --with-nms one of detections", async () => {
    const { code, stdout, stderr } = await exportTo("onnx", at("heads.onnx"));
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`${DEFAULT_MODEL} is in ${at("heads.onnx")} (17.9 MB).\n`);
    await exportTo("onnx", at("detector.onnx"), "--with-nms", "--model", defaultModelFolder());
    const outputs = async (file: string): Promise<readonly string[]> => {
      const session = await InferenceSession.create(at(file));
      const { outputNames } = session;
      await session.release();
      return outputNames;
    };
    expect(await outputs("heads.onnx")).toEqual(["offsets", "logits"]);
    expect(await outputs("detector.onnx")).toEqual(["boxes", "scores", "classes", "counts"]);
    expect(await readdir(folder.path)).toHaveLength(2);
  });

  it("writes a TensorFlow.js folder, and replaces it only with --force", async () => {
    const { code, stdout } = await exportTo("tfjs", at("web"), "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      model: { name: DEFAULT_MODEL },
      format: "tfjs",
      withNms: false,
      out: at("web"),
    });
    const files = await readdir(at("web"));
    expect(files.sort()).toEqual([...[1, 2, 3, 4, 5].map((i) => `group1-shard${i}of5.bin`), "model.json"]);
    await writeFile(at("web", "model.json"), "older");
    const again = await exportTo("tfjs", at("web"));
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("OUT_EXISTS: There is an export in ")]);
    expect(await readFile(at("web", "model.json"), "utf8")).toBe("older");
    expect((await exportTo("tfjs", at("web"), "--force")).code).toBe(0);
    expect(JSON.parse(await readFile(at("web", "model.json"), "utf8"))).toMatchObject({ format: "graph-model" });
    expect(await readdir(folder.path)).toEqual(["web"]);
  });

  it("writes safetensors that hold the whole model", async () => {
    expect((await exportTo("safetensors", at("model.safetensors"))).code).toBe(0);
    const { spec, provenance } = importSafetensors(await readFile(at("model.safetensors")), "model.safetensors");
    const bundle = await defaultBundle();
    expect({ spec, provenance }).toEqual({ spec: bundle.spec, provenance: bundle.provenance });
  });

  it("overwrites no file unless it is asked to", async () => {
    await writeFile(at("model.onnx"), "precious");
    const { code, stderr } = await exportTo("onnx", at("model.onnx"));
    expect([code, stderr]).toEqual([
      2,
      `multibox: OUT_EXISTS: ${at("model.onnx")} is there already. Replace it with --force, or choose another --out.\n`,
    ]);
    expect(await readFile(at("model.onnx"), "utf8")).toBe("precious");
    expect((await exportTo("onnx", at("model.onnx"), "--force")).code).toBe(0);
    expect(await readdir(folder.path)).toEqual(["model.onnx"]);
  });

  it.each([
    [
      "a format that there is not",
      ["tflite", "model.tflite"],
      2,
      "'tflite' is invalid. Allowed choices are onnx, tfjs",
    ],
    ["detections of a format without them", ["tfjs", "web", "--with-nms"], 2, "CONFIG_INVALID: --with-nms goes with"],
    ["a model that nobody knows", ["onnx", "a.onnx", "--model", "yolo"], 2, 'MODEL_UNKNOWN: There is no model "yolo"'],
    ["a folder without a model", ["onnx", "a.onnx", "--model", "./none"], 1, "MODEL_NOT_FOUND: There is no model in"],
    ["a folder that is not there", ["onnx", "none/a.onnx"], 1, "NOT_WRITABLE: There is no folder "],
    ["a folder for a file", ["onnx", "full", "--force"], 2, "full is a folder. Give the name of a file."],
    ["a file for a folder", ["tfjs", "full/photo.jpg", "--force"], 2, "photo.jpg is a file, and --format tfjs writes"],
    ["a folder with other things", ["tfjs", "full", "--force"], 2, "holds other things than an export: photo.jpg"],
  ])("refuses %s", async (_, [format, out, ...args], wanted, why) => {
    await mkdir(at("full"));
    await writeFile(at("full", "photo.jpg"), "precious");
    const { code, stdout, stderr } = await exportTo(format!, at(out!), ...args);
    expect([code, stdout]).toEqual([wanted, ""]);
    expect(stderr).toContain(why);
    expect(await readdir(folder.path)).toEqual(["full"]);
    expect(await readdir(at("full"))).toEqual(["photo.jpg"]);
  });
});
