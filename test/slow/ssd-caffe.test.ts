// SSD300 and SSD512 as Caffe's files: OpenCV's reader and DetectionOutput find what we find after `models import`.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { importModel } from "../../src/commands/models-import.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import type { RawHeads } from "../../src/model/engines/engine.ts";
import { buildSsd } from "../../src/model/networks/ssd.ts";
import type { Tensors } from "../../src/model/weights/safetensors.ts";
import { worstDifference } from "../model/support/differences.ts";
import { livelyWeights, SEED } from "../model/support/lively-weights.ts";
import { cutRow, matchDetections, type Row } from "../model/support/matching.ts";
import {
  detectionsOf,
  headsOf,
  parityPhotos,
  rawHeads,
  readFloats,
  sampled,
  specWithoutGaps,
} from "../model/support/parity-model.ts";
import { goldenDistance, goldenPictures } from "../model/support/ssd-golden.ts";
import { pythonHas, runPython } from "../support/python.ts";

const photos = await parityPhotos();
const titles = photos.map(({ title }, i) => [title, i] as const);

/** As released, where boxes suppress each other as they are; and with boxes that are cut to the picture before. */
interface Found {
  readonly clipped: Row[];
  readonly released: Row[];
}

describe.skipIf(!pythonHas("cv2.dnn")).each([300, 512])(
  "SSD%i as Caffe's files, against OpenCV (needs Python with OpenCV 4 in MULTIBOX_PYTHON)",
  (size) => {
    const golden = `ssd${size}-caffe`;
    const spec = specWithoutGaps(`ssd${size}-vgg16-voc`);
    let folder: string;
    let weights: Tensors;
    let ours: RawHeads[];
    let theirs: RawHeads[];
    let found: Found[];
    const path = (name: string): string => join(folder, name);
    const floats = (name: string): Promise<Float32Array> => readFloats(path(name));

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "multibox-caffe-"));
      const pixels = sampled(spec, [...photos.map(({ picture }) => picture), ...goldenPictures(spec)]);
      await writeFile(path("pictures.u8"), pixels);
      const script = join(import.meta.dirname, "../parity/ssd_caffe.py");
      await runPython(script, [folder, `${size}`, `${spec.labels.length}`, `${SEED}`]);
      const quiet = vi.spyOn(console, "log").mockReturnValue(undefined);
      const options = { spec: spec.name, out: path("model"), licence: "none", seed: 1, force: false, json: false };
      await importModel(path("weights.caffemodel"), options);
      quiet.mockRestore();
      ({ weights } = await readBundle(path("model")));
      ours = await rawHeads(spec, weights, pixels);
      theirs = headsOf(spec, await floats("offsets.f32"), await floats("logits.f32"));
      const detections = JSON.parse(await readFile(path("detections.json"), "utf8")) as Found[];
      const cut = (rows: readonly Row[]): Row[] => rows.map((row) => cutRow(row, size));
      found = detections.map(({ clipped, released }) => ({ clipped: cut(clipped), released: cut(released) }));
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    test("all default boxes are equal to 1e-6", async () => {
      const corners = defaultBoxes(spec);
      for (let at = 0; at < corners.length; at += 4) {
        const [cx, cy, width, height] = corners.slice(at, at + 4) as unknown as [number, number, number, number];
        corners.set([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], at);
      }
      expect(worstDifference(corners, await floats("boxes.f32"))).toBeLessThan(1e-6);
    });

    test("the file holds the weights that the golden values are made with", () => {
      const lively = [...livelyWeights(buildSsd(spec), spec.labels.length)];
      const differing = lively.filter(([name, { data }]) => worstDifference(weights.get(name)!.data, data) > 0);
      expect(lively).toHaveLength(weights.size);
      expect(differing.map(([name]) => name)).toEqual([]);
    });

    test.each(titles)("offsets and logits are equal to 1e-3: %s", (_, i) => {
      expect(worstDifference(ours[i]!.offsets, theirs[i]!.offsets)).toBeLessThan(1e-3);
      expect(worstDifference(ours[i]!.logits, theirs[i]!.logits)).toBeLessThan(1e-3);
    });

    test.each(titles)("the 200 detections are the same, one to one: %s", (_, i) => {
      expect(found[i]!.released).toHaveLength(200);
      const match = matchDetections(detectionsOf(spec, ours[i]!), found[i]!.released);
      expect(match).toEqual({ pairs: 200, onlyOurs: [], onlyTheirs: [] });
    });

    test.each(titles)("so they are when boxes are cut before they suppress others: %s", (_, i) => {
      const match = matchDetections(detectionsOf(spec, ours[i]!, { cutFirst: true }), found[i]!.clipped);
      expect(match).toEqual({ pairs: 200, onlyOurs: [], onlyTheirs: [] });
    });

    test("the golden values are those of OpenCV", async () => {
      const answers = theirs.map((heads, i) => ({ heads, detections: found[i]!.released })).slice(photos.length);
      const { offsets, logits, detections } = await goldenDistance(golden, spec, answers);
      expect(offsets).toBeLessThan(1e-4);
      expect(logits).toBeLessThan(1e-4);
      expect(detections).toBeLessThan(1e-4);
    });
  },
);
