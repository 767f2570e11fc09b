// Post-processing in one pass gives what the textbook's gives: NMS class by class, then the best of all classes.
import { describe, expect, test } from "vitest";
import type { Heads } from "../../src/model/post-process/candidates.ts";
import type { Detection } from "../../src/model/detection.ts";
import { createPostProcess } from "../../src/model/post-process.ts";
import { boxCount } from "../../src/model/default-boxes.ts";
import type { PostProcessSpec, SsdSpec } from "../../src/model/spec.ts";
import { PAPER_POST_PROCESS } from "../../src/model/specs.ts";
import { createPlainPostProcess } from "./support/plain-post-process.ts";
import { random } from "../../src/model/random.ts";
import { pick } from "./support/pick.ts";
import { tinySpec } from "./support/tiny-spec.ts";

const [WIDTH, HEIGHT] = [640, 360];
const FEW_BOXES = tinySpec({
  maps: [
    {
      cells: 3,
      boxes: [
        { scale: 0.4, ratio: 1 },
        { scale: 0.5, ratio: 2 },
      ],
    },
    {
      cells: 1,
      boxes: [
        { scale: 0.9, ratio: 1 },
        { scale: 0.6, ratio: 0.5 },
      ],
    },
  ],
});
const MANY_BOXES = tinySpec({ maps: [{ cells: 7, boxes: FEW_BOXES.maps[0]!.boxes }, ...FEW_BOXES.maps] });
// Gaps in the ids are a habit of COCO's sigmoid models; the last set has no background.
const LABELS = {
  sigmoid: [[null, "cat", "dog", null, "bird"]],
  softmax: [
    [null, "cat", "dog", "bird"],
    [null, "cat", null, "bird", ...Array.from({ length: 17 }, (_, i) => `thing ${i}`)],
    ["cat", "dog"],
  ],
};

/**
 * Logits in steps of a quarter, so that many are equal, or in any, the background's raised by some; offsets in coarse steps, so
 * that many boxes are equal, and so large in some scenes that boxes lie off the picture. A few numbers are none.
 */
function randomHeads(next: () => number, spec: SsdSpec): Heads {
  const steps = (count: number, step: number, range: number): Float32Array =>
    Float32Array.from({ length: count }, () => Math.round((next() * 2 - 1) * range) * step);
  const [boxes, classes] = [boxCount(spec), spec.labels.length];
  const logits = pick(next, [steps(boxes * classes, 0.25, 20), steps(boxes * classes, 1e-6, 1e7)]);
  const background = pick(next, [0, 0, 5]);
  for (let at = 0; at < logits.length; at += classes) logits[at]! += background;
  if (next() < 0.1) logits[Math.floor(next() * logits.length)] = Number.NaN;
  const offsets = steps(boxes * 4, pick(next, [0.01, 0.5, 2]), 4);
  if (next() < 0.1) offsets[Math.floor(next() * offsets.length)] = Number.NaN;
  return { logits, logitsAt: 0, offsets, offsetsAt: 0 };
}

const randomSettings = (next: () => number, suppression: PostProcessSpec["suppression"]): PostProcessSpec => ({
  ...PAPER_POST_PROCESS,
  minScore: pick(next, [0, 0.01, 0.3, 0.5, 0.9, 1]),
  iouThreshold: pick(next, [0, 0.2, 0.45, 0.6, 1]),
  maxDetections: pick(next, [1, 3, 10, 200]),
  suppression,
  softSigma: pick(next, [0.1, 0.5, 2]),
  classAgnostic: next() < 0.3,
  cutFirst: next() < 0.5,
  ...(next() < 0.3 && { topKPerClass: pick(next, [1, 2, 5, 400]) }),
});

function isOnPicture({ bbox: [x, y, width, height], label }: Detection): boolean {
  return x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= WIDTH && y + height <= HEIGHT && label !== null;
}

describe.each(["sigmoid", "softmax"] as const)("with %s scores", (scores) => {
  test.each([
    ["hard", 1500, FEW_BOXES],
    ["hard", 100, MANY_BOXES],
    ["soft", 1000, FEW_BOXES],
    ["soft", 30, MANY_BOXES],
  ] as const)("%s suppression in %i random pairs of scenes is exactly the textbook's", (suppression, scenes, boxes) => {
    const next = random(scores.length + scenes);
    let detected = 0;
    for (let scene = 0; scene < scenes; scene++) {
      const spec: SsdSpec = { ...boxes, scores, labels: pick(next, LABELS[scores]) };
      const settings = randomSettings(next, suppression);
      const postProcess = createPostProcess(spec, settings);
      const plain = createPlainPostProcess(spec, settings);
      // The second picture meets what the first has left behind.
      for (const heads of [randomHeads(next, spec), randomHeads(next, spec)]) {
        const detections = postProcess(heads, WIDTH, HEIGHT);
        expect(detections, `scene ${scene}: ${JSON.stringify(settings)}`).toEqual(plain(heads, WIDTH, HEIGHT));
        expect(detections.filter((one) => !isOnPicture(one))).toEqual([]);
        detected += detections.length;
      }
    }
    expect(detected).toBeGreaterThan(scenes * 3);
  });
});
