// The default boxes of our specs, all of them, against OpenCV's PriorBox layer and torchvision's DefaultBoxGenerator.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import { SPECS } from "../../src/model/specs.ts";
import { boxGolden, readBoxGoldens, writeBoxGoldenIfMissing } from "../model/support/box-golden.ts";
import { worstDifference } from "../model/support/differences.ts";
import { readFloats } from "../model/support/parity-model.ts";
import { pythonHas, runPython } from "../support/python.ts";

const RELEASED = ["ssd300-vgg16-voc", "ssd300-vgg16-coco", "ssd512-vgg16-voc", "ssd512-vgg16-coco"];

describe.each([
  ["OpenCV's PriorBox layer", "cv2.dnn", RELEASED],
  ["torchvision's DefaultBoxGenerator", "torchvision.ops", ["ssd300-vgg16-torchvision"]],
])("default boxes against %s", (_, module, names) => {
  describe.skipIf(!pythonHas(module))(`(needs Python with ${module} in MULTIBOX_PYTHON)`, () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "multibox-boxes-"));
      await runPython(join(import.meta.dirname, "ssd_default_boxes.py"), [folder]);
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    test.each(names)("%s: all are equal to 1e-6, and the golden values are theirs", async (name) => {
      const spec = SPECS.find((one) => one.name === name)!;
      const theirs = await readFloats(join(folder, `${name}.f32`));
      expect(theirs).toHaveLength((name.startsWith("ssd300") ? 8732 : 24_564) * 4);
      expect(worstDifference(defaultBoxes(spec), theirs)).toBeLessThan(1e-6);
      const golden = boxGolden(spec, theirs);
      writeBoxGoldenIfMissing(name, golden);
      const kept = readBoxGoldens()[name]!;
      expect(kept.count).toBe(golden.count);
      expect(worstDifference(kept.sampled, golden.sampled)).toBeLessThan(1e-7);
      expect(worstDifference(kept.sums, golden.sums)).toBeLessThan(1e-5);
    });
  });
});
