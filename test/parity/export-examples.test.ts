// The Python examples of docs/formats.md run as they stand, and find what multibox finds.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportOnnx } from "../../src/model/export/onnx.ts";
import { defaultBundle, defaultModelFolder, testData } from "../support/model.ts";
import { pythonHas, runPython } from "../support/python.ts";

const dog = testData("photos/dog.jpg");
const hasPython = pythonHas("cv2", "numpy", "onnxruntime");

describe.skipIf(dog === undefined || !hasPython)(
  "docs/formats.md (needs the test data, and Python with cv2, numpy and onnxruntime in MULTIBOX_PYTHON)",
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "multibox-examples-"));
      const bundle = await defaultBundle();
      await writeFile(join(folder, "heads.onnx"), exportOnnx(bundle, { detections: false }));
      await writeFile(join(folder, "detector.onnx"), exportOnnx(bundle, { detections: true }));
      await copyFile(join(defaultModelFolder(), "model.json"), join(folder, "model.json"));
      await copyFile(dog!, join(folder, "dog.jpg"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test.each([
      ["onnxruntime", 0],
      ["OpenCV", 1],
    ])("its example with %s finds bicycle, dog and car", async (_, i) => {
      const prose = await readFile(join(import.meta.dirname, "../../docs/formats.md"), "utf8");
      const examples = [...prose.matchAll(/```python\n(.*?)```/gs)].map(([, code]) => code!);
      expect(examples).toHaveLength(2);
      const script = join(folder, `example${i}.py`);
      await writeFile(script, `import os\nos.chdir(${JSON.stringify(folder)})\n${examples[i]!}`);
      const lines = (await runPython(script, [])).trim().split("\n");
      expect(lines.slice(0, 3).map((line) => line.split(" ", 2))).toEqual([
        ["bicycle", "0.97"],
        ["dog", "0.89"],
        ["car", "0.84"],
      ]);
      const box = /\[(.*)\]/.exec(lines[0]!)![1]!.trim().split(/\s+/).map(Number);
      for (const [side, wanted] of [146, 120, 422, 309].entries())
        expect(Math.abs(box[side]! - wanted)).toBeLessThan(3);
    });
  },
);
