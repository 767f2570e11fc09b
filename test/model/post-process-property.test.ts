// Post-processing in one pass gives what the textbook's gives: greedy NMS class by class, then the best of all classes.
import { describe, expect, test } from "vitest";
import { defaultBoxes } from "../../src/model/default-boxes.ts";
import { createPostProcess, type Heads } from "../../src/model/post-process.ts";
import { boxCount, type PostProcessSpec, type SsdSpec } from "../../src/model/spec.ts";
import { PAPER_POST_PROCESS } from "../../src/model/specs.ts";
import { pick, random } from "./support/random.ts";
import { tinySpec } from "./support/tiny-spec.ts";

const [WIDTH, HEIGHT] = [640, 360];
const SPEC = tinySpec({
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
// Gaps in the ids are a habit of COCO's sigmoid models.
const LABELS = { sigmoid: [null, "cat", "dog", null, "bird"], softmax: [null, "cat", "dog", "bird"] };

interface Found {
  readonly box: number;
  readonly classId: number;
  readonly score: number;
  readonly corners: readonly number[];
}

/** The plain way: all scores, all boxes, then for each class by itself the best box, and away with what it covers. */
function plain(spec: SsdSpec, { logits, offsets }: Heads, settings: PostProcessSpec): Found[] {
  const classes = spec.labels.length;
  const boxes = defaultBoxes(spec);
  const kept: Found[] = [];
  for (const [classId, label] of spec.labels.entries()) {
    if (label === null) continue;
    let left = Array.from({ length: boxCount(spec) }, (_, box): Found => {
      const row = [...logits.subarray(box * classes, (box + 1) * classes)];
      const score = (spec.scores === "sigmoid" ? sigmoids(row) : softmax(row))[classId]!;
      return { box, classId, score, corners: cornersOf(spec, offsets, boxes, box * 4) };
    }).filter(({ score }) => score >= settings.minScore);
    while (left.length > 0) {
      const best = left.reduce((a, b) => (b.score > a.score ? b : a));
      kept.push(best);
      left = left.filter((other) => other !== best && overlap(other.corners, best.corners) <= settings.iouThreshold);
    }
  }
  kept.sort((a, b) => b.score - a.score || a.box - b.box || a.classId - b.classId);
  return kept.slice(0, settings.maxDetections);
}

const sigmoids = (row: readonly number[]): number[] => row.map((logit) => 1 / (1 + Math.exp(-logit)));

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

function cornersOf({ variances }: SsdSpec, offsets: Float32Array, boxes: Float32Array, at: number): number[] {
  const [x, y, w, h] = [0, 1, 2, 3].map((i) => offsets[at + i]! * variances[i]!) as [number, number, number, number];
  const [cx, cy, width, height] = [0, 1, 2, 3].map((i) => boxes[at + i]!) as [number, number, number, number];
  const [middleX, middleY] = [cx + x * width, cy + y * height];
  const [halfWidth, halfHeight] = [(width * Math.exp(w)) / 2, (height * Math.exp(h)) / 2];
  const corners = [middleX - halfWidth, middleY - halfHeight, middleX + halfWidth, middleY + halfHeight];
  // Boxes are kept in 32 bits, and one that lies exactly at the threshold must not fall to the other side here.
  return corners.map((value) => Math.min(1, Math.max(0, Math.fround(value))));
}

function overlap(a: readonly number[], b: readonly number[]): number {
  const area = ([x1, y1, x2, y2]: readonly number[]): number => (x2! - x1!) * (y2! - y1!);
  const common = [Math.max(a[0]!, b[0]!), Math.max(a[1]!, b[1]!), Math.min(a[2]!, b[2]!), Math.min(a[3]!, b[3]!)];
  if (common[2]! <= common[0]! || common[3]! <= common[1]!) return 0;
  return area(common) / (area(a) + area(b) - area(common));
}

/** Logits in steps of a quarter, so that many are equal; offsets in coarse steps, so that many boxes are. */
function randomHeads(next: () => number, spec: SsdSpec): Heads {
  const steps = (count: number, step: number, range: number): Float32Array =>
    Float32Array.from({ length: count }, () => Math.round((next() * 2 - 1) * range) * step);
  const boxes = boxCount(spec);
  const offsets = steps(boxes * 4, pick(next, [0.01, 0.5, 2]), 4);
  return { logits: steps(boxes * spec.labels.length, 0.25, 20), logitsAt: 0, offsets, offsetsAt: 0 };
}

describe.each(["sigmoid", "softmax"] as const)("with %s scores", (scores) => {
  test("2000 random scenes are what greedy NMS a class and a cut at the best say", () => {
    const next = random(scores.length);
    let detected = 0;
    for (let scene = 0; scene < 2000; scene++) {
      const spec = { ...SPEC, scores, labels: LABELS[scores] };
      const heads = randomHeads(next, spec);
      const settings: PostProcessSpec = {
        ...PAPER_POST_PROCESS,
        minScore: pick(next, [0, 0.01, 0.3, 0.5, 0.9]),
        iouThreshold: pick(next, [0, 0.2, 0.45, 0.6, 1]),
        maxDetections: pick(next, [1, 3, 10, 200]),
      };
      const detections = createPostProcess(spec, settings)(heads, WIDTH, HEIGHT);
      const wanted = plain(spec, heads, settings).map(({ classId, score, corners }) => {
        const [x1, y1, x2, y2] = corners as [number, number, number, number];
        const bbox = [x1 * WIDTH, y1 * HEIGHT, x2 * WIDTH - x1 * WIDTH, y2 * HEIGHT - y1 * HEIGHT];
        return { bbox, score, label: spec.labels[classId], classId };
      });
      expect(detections, `scene ${scene}`).toEqual(wanted);
      for (const { bbox } of detections) {
        const [x, y, width, height] = bbox;
        const fits = x >= 0 && y >= 0 && width >= 0 && height >= 0 && x + width <= WIDTH && y + height <= HEIGHT;
        expect(fits, `scene ${scene}: ${bbox.join(" ")}`).toBe(true);
      }
      detected += detections.length;
    }
    expect(detected).toBeGreaterThan(10_000);
  });
});
