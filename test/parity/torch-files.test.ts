// Files that real PyTorch wrote are read number for number, in each of its formats, and become models that run.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { importModel } from "../../src/commands/models-import.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { createDetector } from "../../src/model/detector.ts";
import { openOnnxCpu } from "../../src/model/engines/onnx.ts";
import { SPECS } from "../../src/model/specs.ts";
import { readTorch } from "../../src/model/weights/torch-file.ts";
import { drawPicture } from "../model/support/pictures.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { pythonHas, runPython } from "../support/python.ts";

const HEAD = "head.classification_head.module_list.5.weight";
const spec = {
  ...SPECS.find(({ name }) => name === "ssd300-vgg16-torchvision")!,
  name: "four-classes",
  labels: [null, "cat", "dog", "cow"],
};

describe.skipIf(!pythonHas("torch", "torchvision"))(
  "torchvision's models (needs Python with torchvision in MULTIBOX_PYTHON)",
  () => {
    let folder: Awaited<ReturnType<typeof makeFolder>>;
    let expected: number[][];
    const file = (name: string): string => join(folder.path, name);
    beforeAll(async () => {
      folder = await makeFolder();
      const script = join(import.meta.dirname, "torch_files.py");
      const lines = (await runPython(script, [folder.path, "7"])).trim().split("\n");
      expected = lines.map((line) => JSON.parse(line) as number[]);
      await writeFile(file("spec.json"), JSON.stringify(spec));
      await mkdir(file("models"));
    }, 300_000);
    afterAll(() => folder.remove());

    it.each([
      ["zip.pth", 0],
      ["legacy.pth", 0],
      ["parallel.pt", 0],
      ["half.pth", 1e-3],
    ])("%s has all 71 tensors, equal to %d", async (name, tolerance) => {
      const tensors = await readTorch(file(name));
      const [head, scale, sums] = expected as [number[], number[], number[]];
      expect(tensors.size).toBe(71);
      const gaps = [...tensors.get(HEAD)!.data.subarray(0, 8)].map((value, i) => Math.abs(value - head[i]!));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(tolerance);
      expect([...tensors.get("backbone.scale_weight")!.data.subarray(0, 2)]).toEqual(scale);
      // Python's lists have the names in the same order.
      const ours = [...tensors.values()].map(({ data }) => data.reduce((sum, value) => sum + value, 0));
      expect(Math.max(...ours.map((sum, i) => Math.abs(sum - sums[i]!)))).toBeLessThan(tolerance === 0 ? 1e-6 : 1);
    });

    it("a file becomes a model that finds something in a picture", async () => {
      vi.spyOn(console, "log").mockImplementation(() => undefined);
      const out = file("models/ssd");
      const options = { spec: file("spec.json"), out, licence: "none", seed: 1, force: false, json: true };
      await importModel(file("zip.pth"), options);
      const bundle = await readBundle(out);
      const engine = await openOnnxCpu(bundle, { threads: 0 });
      const detector = createDetector(bundle, { engine, reason: "" }, { maxBatch: 1, minScore: 0.01 });
      try {
        const { detections } = await detector.detect([drawPicture(320, 240, 1)]);
        // Weights that nobody has trained find something everywhere.
        expect(detections[0]!.length).toBeGreaterThan(0);
      } finally {
        await detector.close();
        vi.restoreAllMocks();
      }
    });

    it("VGG16's fc6 is subsampled as NumPy slices it", async () => {
      vi.spyOn(console, "log").mockImplementation(() => undefined);
      const out = file("models/vgg16");
      const options = { spec: file("spec.json"), out, licence: "none", seed: 1, force: false, json: true };
      await importModel(file("vgg16.pth"), options);
      vi.restoreAllMocks();
      const { data } = (await readBundle(out)).weights.get("base.fc6.weight")!;
      expect([...data.subarray((5 * 512 + 7) * 9).subarray(0, 9)]).toEqual(expected[3]);
    });
  },
);
