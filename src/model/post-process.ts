// Offsets and logits of one picture -> its detections: threshold, decode, non-maximum suppression, best first.
import { Candidates, type Heads, sigmoidCandidates, softmaxCandidates } from "./post-process/candidates.ts";
import { DecodedBoxes } from "./post-process/decoded-boxes.ts";
import type { Detection } from "./detection.ts";
import { createRanking } from "./post-process/rank-candidates.ts";
import { boxCount } from "./default-boxes.ts";
import type { PostProcessSpec, SsdSpec } from "./spec.ts";
import { createHardSuppress, createSoftSuppress, Kept } from "./post-process/suppress.ts";

/** Detections of a picture of this size in its pixels, best score first; of equal scores the lower box, then the lower class. */
export type PostProcess = (heads: Heads, width: number, height: number) => Detection[];

/**
 * Builds the post-processing of a spec (SSD paper, end of section 3.1). One pass over all candidates in descending order of
 * score, suppressing within a class, gives the same boxes as NMS class by class followed by the best `maxDetections` (a box
 * can only be suppressed by a better one), and stops early. A box that lies wholly off the picture is dropped. What a call
 * needs besides the detections that it returns is kept for the next, and grows only for a fuller picture than any before.
 */
export function createPostProcess(spec: SsdSpec, settings: PostProcessSpec = spec.postProcess): PostProcess {
  const { minScore, maxDetections, suppression, cutFirst, topKPerClass } = settings;
  const { labels } = spec;
  const classes = labels.length;
  const reported = Uint8Array.from(labels, (label) => (label === null ? 0 : 1));
  const threshold = { boxes: boxCount(spec), reported, minScore };
  const find = spec.scores === "sigmoid" ? sigmoidCandidates(threshold) : softmaxCandidates(threshold);
  const rank = createRanking();
  const cut = topKPerClass === undefined ? undefined : createCut(topKPerClass, classes);
  const kept = new Kept(Math.min(maxDetections, threshold.boxes * classes), classes);
  const createSuppress = suppression === "hard" ? createHardSuppress : createSoftSuppress;
  const first = firstOfLabel(labels);
  const suppress = createSuppress(settings, settings.classAgnostic ? new Int32Array(classes) : first, kept);
  const candidates = new Candidates();
  const boxes = new DecodedBoxes(spec, cutFirst);

  return (heads, width, height) => {
    find(heads, candidates);
    const order = rank(candidates);
    const count = cut ? cut(candidates, order) : candidates.count;
    boxes.reset(heads);
    const detections: Detection[] = [];
    const many = suppress(candidates, order, count, boxes);
    for (let i = 0; i < many; i++) {
      const candidate = kept.candidates[i]!;
      const classId = first[candidates.keys[candidate]! % classes]!;
      const bbox = toBox(boxes.corners, kept.boxes[i]! * 4, width, height);
      detections.push({ bbox, score: candidates.scores[candidate]!, label: labels[classId]!, classId });
    }
    return detections;
  };
}

/** How a run post-processes: as the spec says, but for what is chosen; what is undefined is not chosen. */
export function choosePostProcess(spec: SsdSpec, chosen: Partial<PostProcessSpec> = {}): PostProcessSpec {
  const said = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  return { ...spec.postProcess, ...said };
}

/** For each class the first one that has its label; for one without a label itself. */
function firstOfLabel(labels: SsdSpec["labels"]): Int32Array {
  return Int32Array.from(labels, (label, classId) => (label === null ? classId : labels.indexOf(label)));
}

/** Leaves the best `limit` candidates of each class in the order, before any is suppressed, and returns how many these are. */
function createCut(limit: number, classes: number): (candidates: Candidates, order: Uint32Array) => number {
  const seen = new Uint32Array(classes);
  return ({ keys, count }, order) => {
    seen.fill(0);
    let left = 0;
    for (let i = 0; i < count; i++) {
      const candidate = order[i]!;
      const classId = keys[candidate]! % classes;
      if (seen[classId]! >= limit) continue;
      seen[classId]!++;
      order[left++] = candidate;
    }
    return left;
  };
}

/** Cut to the picture. */
function toBox(corners: Float32Array, at: number, width: number, height: number): Detection["bbox"] {
  const x = Math.max(0, corners[at]!) * width;
  const y = Math.max(0, corners[at + 1]!) * height;
  return [x, y, Math.min(1, corners[at + 2]!) * width - x, Math.min(1, corners[at + 3]!) * height - y];
}
