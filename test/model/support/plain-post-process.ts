// The textbook's post-processing, to compare with: all scores, all boxes, NMS group by group, then the best of all groups.
import type { Heads } from "../../../src/model/post-process/candidates.ts";
import { defaultBoxes } from "../../../src/model/default-boxes.ts";
import type { PostProcess } from "../../../src/model/post-process.ts";
import type { PostProcessSpec, SsdSpec } from "../../../src/model/spec.ts";

type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

interface Found {
  readonly box: number;
  readonly classId: number;
  score: number;
  readonly corners: Corners;
}

/** Best score first, then lower box, then lower class. */
const byRank = (a: Found, b: Found): number => b.score - a.score || a.box - b.box || a.classId - b.classId;

export function createPlainPostProcess(spec: SsdSpec, settings: PostProcessSpec): PostProcess {
  const boxes = defaultBoxes(spec);
  return (heads, width, height) => {
    const groups = groupsOf(candidatesOf(spec, heads, boxes, settings), settings.classAgnostic);
    const suppress = settings.suppression === "soft" ? softNms : greedyNms;
    const kept = groups.flatMap((group) => suppress(group, settings));
    return kept
      .sort(byRank)
      .slice(0, settings.maxDetections)
      .map(({ classId, score, corners }) => {
        const [x1, y1, x2, y2] = cut(corners);
        const bbox = [x1 * width, y1 * height, x2 * width - x1 * width, y2 * height - y1 * height] as const;
        return { bbox, score, label: spec.labels[classId]!, classId };
      });
  };
}

/** Of each class the candidates that may be suppressed. */
function candidatesOf(spec: SsdSpec, heads: Heads, boxes: Float32Array, settings: PostProcessSpec): Found[][] {
  const classes = spec.labels.length;
  const scoresOf = spec.scores === "sigmoid" ? sigmoids : softmax;
  const ofClass: Found[][] = spec.labels.map(() => []);
  for (let box = 0; box < boxes.length / 4; box++) {
    const at = heads.logitsAt + box * classes;
    const scores = scoresOf(heads.logits.subarray(at, at + classes));
    const whole = cornersOf(spec, heads, boxes, box * 4);
    const corners = settings.cutFirst ? cut(whole) : whole;
    for (const [classId, label] of spec.labels.entries()) {
      const score = scores[classId]!;
      if (label !== null && score >= settings.minScore) ofClass[classId]!.push({ box, classId, score, corners });
    }
  }
  const hasArea = ({ corners }: Found): boolean => {
    const [x1, y1, x2, y2] = cut(corners);
    return x2 > x1 && y2 > y1;
  };
  return ofClass.map((found) => found.sort(byRank).slice(0, settings.topKPerClass).filter(hasArea));
}

const groupsOf = (ofClass: Found[][], classAgnostic: boolean): Found[][] =>
  classAgnostic ? [ofClass.flat().sort(byRank)] : ofClass;

/** The best box, and away with what it covers; and again, until none is left. */
function greedyNms(group: readonly Found[], { iouThreshold }: PostProcessSpec): Found[] {
  const kept: Found[] = [];
  for (const one of group) if (!kept.some((better) => iou(one.corners, better.corners) > iouThreshold)) kept.push(one);
  return kept;
}

/** Figure 2 of Bodla et al., ICCV 2017: the best box, and the scores of all others fall; and again, until none is left. */
function softNms(group: readonly Found[], { minScore, softSigma }: PostProcessSpec): Found[] {
  const kept: Found[] = [];
  let left = [...group];
  while (left.length > 0) {
    const best = left.reduce((a, b) => (byRank(a, b) < 0 ? a : b));
    kept.push(best);
    left = left.filter((one) => {
      if (one === best) return false;
      one.score *= Math.exp(-(iou(one.corners, best.corners) ** 2) / softSigma);
      return one.score >= minScore;
    });
  }
  return kept;
}

const sigmoids = (row: Float32Array): number[] => Array.from(row, (logit) => 1 / (1 + Math.exp(-logit)));

function softmax(row: Float32Array): number[] {
  const top = Math.max(...row);
  const powers = Array.from(row, (logit) => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

function cornersOf({ variances }: SsdSpec, { offsets, offsetsAt }: Heads, boxes: Float32Array, at: number): Corners {
  const offset = (i: number): number => offsets[offsetsAt + at + i]! * variances[i]!;
  const [cx, cy, width, height] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
  const [middleX, middleY] = [cx + offset(0) * width, cy + offset(1) * height];
  const [halfWidth, halfHeight] = [(width * Math.exp(offset(2))) / 2, (height * Math.exp(offset(3))) / 2];
  const corners = [middleX - halfWidth, middleY - halfHeight, middleX + halfWidth, middleY + halfHeight];
  // Boxes are kept in 32 bits, and one that lies exactly at the threshold must not fall to the other side here.
  return corners.map(Math.fround) as unknown as Corners;
}

const cut = (corners: Corners): Corners =>
  corners.map((value) => Math.min(1, Math.max(0, value))) as unknown as Corners;

function iou(a: Corners, b: Corners): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

const area = ([x1, y1, x2, y2]: Corners): number => (x2 - x1) * (y2 - y1);
