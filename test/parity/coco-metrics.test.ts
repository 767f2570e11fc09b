// Random detections on real annotations get the same figures from us as from pycocotools.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cocoMetrics } from "../../src/training/coco-metrics.ts";
import { testData } from "../support/model.ts";
import { type CocoResult, type CocoTruth, foundOf, idsOf, truthsOf } from "../training/support/coco-json.ts";

const python = process.env["MULTIBOX_PYTHON"] ?? "python3";
const script = join(import.meta.dirname, "coco-metrics.py");
const instances = testData("coco/val/instances.json");

interface Judged {
  readonly found: CocoResult[];
  readonly figures: Record<string, number>;
  readonly classes: readonly { categoryId: number; AP: number; AP50: number; AR100: number }[];
}

describe.skipIf(instances === undefined || !hasPycocotools())(
  "random detections on COCO's pictures (needs the test data, and Python with pycocotools in MULTIBOX_PYTHON)",
  () => {
    it.each([1, 2, 3])("with seed %i have the same twelve figures and the same figures for each class", (seed) => {
      const env = { ...process.env, OMP_NUM_THREADS: "1" };
      const options = { env, maxBuffer: 2 ** 28, encoding: "utf8" } as const;
      const judged = JSON.parse(execFileSync(python, [script, "random", instances!, `${seed}`], options)) as Judged;
      const data = JSON.parse(readFileSync(instances!, "utf8")) as CocoTruth;
      const { figures, classes } = cocoMetrics(truthsOf(data), foundOf(judged.found), idsOf(data));
      expect(judged.found.length).toBeGreaterThan(2000);
      expect(Object.keys(judged.figures)).toEqual(Object.keys(figures));
      const gaps = Object.entries(figures).map(([name, value]) => Math.abs(value - judged.figures[name]!));
      expect(Math.max(...gaps)).toBeLessThan(1e-9);
      const classGaps = classes.map(({ AP, AP50, AR100 }, i) => {
        const theirs = judged.classes[i]!;
        return Math.max(Math.abs(AP - theirs.AP), Math.abs(AP50 - theirs.AP50), Math.abs(AR100 - theirs.AR100));
      });
      expect(classGaps).toHaveLength(80);
      expect(Math.max(...classGaps)).toBeLessThan(1e-9);
    });
  },
);

function hasPycocotools(): boolean {
  try {
    execFileSync(python, ["-c", "import pycocotools, numpy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
