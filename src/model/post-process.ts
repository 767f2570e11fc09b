// Offsets and logits of one picture -> its detections: threshold, decode, non-maximum suppression a class, best first.
import { decodeInto } from "./box-coder.ts";
import { defaultBoxes } from "./default-boxes.ts";
import type { Detection } from "./detection.ts";
import { boxCount, type PostProcessSpec, type SsdSpec } from "./spec.ts";

/** What the network says of one picture, flat: `boxes * 4` offsets and `boxes * classes` logits, and where they begin. */
export interface Heads {
  readonly offsets: Float32Array;
  readonly offsetsAt: number;
  readonly logits: Float32Array;
  readonly logitsAt: number;
}

/** Detections of a picture of this size in its pixels, best score first. */
export type PostProcess = (heads: Heads, width: number, height: number) => Detection[];

/**
 * Builds the post-processing of a spec (SSD paper, end of section 3.1). One pass over all candidates in descending order of
 * score, suppressing within a class, gives the same boxes as greedy NMS class by class followed by the best `maxDetections`
 * (a box can only be suppressed by a better one of its class), and stops early.
 */
export function createPostProcess(spec: SsdSpec, settings: PostProcessSpec = spec.postProcess): PostProcess {
  const boxes = defaultBoxes(spec);
  const count = boxCount(spec);
  const classes = spec.labels.length;
  const reported = Uint8Array.from(spec.labels, (label) => (label === null ? 0 : 1));
  const findCandidates = spec.scores === "sigmoid" ? findSigmoid : findSoftmax;
  const corners = new Float32Array(count * 4);
  const decoded = new Uint8Array(count);
  const candidates: Candidates = { scores: [], keys: [] };

  return (heads, width, height) => {
    candidates.scores.length = 0;
    candidates.keys.length = 0;
    findCandidates(heads, count, classes, reported, settings.minScore, candidates);
    const { scores, keys } = candidates;
    // Equal scores keep the order of the default boxes, so that a run is repeatable whatever the sort.
    const order = Array.from(keys.keys()).sort((a, b) => scores[b]! - scores[a]! || keys[a]! - keys[b]!);
    decoded.fill(0);
    const kept = new Map<number, number[]>();
    const detections: Detection[] = [];
    for (const candidate of order) {
      if (detections.length === settings.maxDetections) break;
      const classId = keys[candidate]! % classes;
      const box = (keys[candidate]! - classId) / classes;
      if (decoded[box] === 0) {
        decodeInto(corners, box * 4, heads.offsets, heads.offsetsAt + box * 4, boxes, box * 4, spec.variances);
        clip(corners, box * 4);
        decoded[box] = 1;
      }
      const rivals = kept.get(classId);
      if (rivals?.some((rival) => iou(corners, box * 4, rival * 4) > settings.iouThreshold)) continue;
      if (rivals) rivals.push(box);
      else kept.set(classId, [box]);
      detections.push({
        bbox: toBox(corners, box * 4, width, height),
        score: scores[candidate]!,
        label: spec.labels[classId]!,
        classId,
      });
    }
    return detections;
  };
}

/** `keys` are `box * classes + class`. */
interface Candidates {
  readonly scores: number[];
  readonly keys: number[];
}

function findSigmoid(
  { logits, logitsAt }: Heads,
  count: number,
  classes: number,
  reported: Uint8Array,
  minScore: number,
  into: Candidates,
): void {
  // The sigmoid rises, so the threshold is moved to the logits and only the few that pass it are exponentiated.
  const minLogit = Math.log(minScore / (1 - minScore));
  const end = logitsAt + count * classes;
  const take = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      const key = at - logitsAt;
      // Written so that a logit which is no number is no score.
      if (!(logits[at]! >= minLogit) || reported[key % classes] === 0) continue;
      into.scores.push(1 / (1 + Math.exp(-logits[at]!)));
      into.keys.push(key);
    }
  };
  // Nearly all logits are below it. Looking at eight in one condition takes a third of the time of eight turns of a loop.
  let at = logitsAt;
  for (; at + 8 <= end; at += 8) {
    if (
      logits[at]! >= minLogit ||
      logits[at + 1]! >= minLogit ||
      logits[at + 2]! >= minLogit ||
      logits[at + 3]! >= minLogit ||
      logits[at + 4]! >= minLogit ||
      logits[at + 5]! >= minLogit ||
      logits[at + 6]! >= minLogit ||
      logits[at + 7]! >= minLogit
    ) {
      take(at, at + 8);
    }
  }
  take(at, end);
}

function findSoftmax(
  { logits, logitsAt }: Heads,
  count: number,
  classes: number,
  reported: Uint8Array,
  minScore: number,
  into: Candidates,
): void {
  // A score is at most exp(logit - background), so most boxes are background beyond doubt and need no softmax.
  const minGap = Math.log(minScore);
  for (let box = 0; box < count; box++) {
    const at = logitsAt + box * classes;
    let best = -Infinity;
    for (let classId = 0; classId < classes; classId++) {
      if (reported[classId] === 1) best = Math.max(best, logits[at + classId]!);
    }
    const background = logits[at]!;
    if (best - background < minGap) continue;
    const top = Math.max(best, background);
    let sum = 0;
    for (let classId = 0; classId < classes; classId++) sum += Math.exp(logits[at + classId]! - top);
    for (let classId = 0; classId < classes; classId++) {
      if (reported[classId] === 0) continue;
      const score = Math.exp(logits[at + classId]! - top) / sum;
      if (!(score >= minScore)) continue;
      into.scores.push(score);
      into.keys.push(box * classes + classId);
    }
  }
}

function clip(corners: Float32Array, at: number): void {
  for (let i = at; i < at + 4; i++) corners[i] = Math.min(1, Math.max(0, corners[i]!));
}

/** Intersection over union of two `[x1, y1, x2, y2]` boxes; 0 when both are empty. */
function iou(corners: Float32Array, a: number, b: number): number {
  const width = Math.min(corners[a + 2]!, corners[b + 2]!) - Math.max(corners[a]!, corners[b]!);
  const height = Math.min(corners[a + 3]!, corners[b + 3]!) - Math.max(corners[a + 1]!, corners[b + 1]!);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (area(corners, a) + area(corners, b) - intersection);
}

function area(corners: Float32Array, at: number): number {
  return (corners[at + 2]! - corners[at]!) * (corners[at + 3]! - corners[at + 1]!);
}

function toBox(corners: Float32Array, at: number, width: number, height: number): Detection["bbox"] {
  const x = corners[at]! * width;
  const y = corners[at + 1]! * height;
  return [x, y, corners[at + 2]! * width - x, corners[at + 3]! * height - y];
}
