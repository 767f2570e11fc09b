// The end of a detector as ONNX operations: decode boxes, suppress, keep the best; what post-process.ts does, in the model itself.
import { MAX_LOG_RATIO } from "../box-coder.ts";
import { boxCount, defaultBoxes } from "../default-boxes.ts";
import type { Graph } from "../graph.ts";
import type { PostProcessSpec, SsdSpec } from "../spec.ts";
import { OnnxPart } from "./onnx-part.ts";
import { attribute, onnx, type OnnxModel, tensorInfo } from "./onnx-proto.ts";

const { FLOAT, INT64 } = onnx.TensorProto.DataType;

/**
 * Replaces the outputs of a model of `buildSsd(spec, "scores")`. With K = `maxDetections`: `boxes` float32 [batch, K, 4], x, y,
 * width, height in shares of the picture; `scores` float32 [batch, K], best first; `classes` int64 [batch, K], the labels'
 * indices; `counts` int64 [batch], how many of the K there are. The rest are zeros, their classes -1.
 * Scores are compared in single precision; but for that the detections are those of `createPostProcess`.
 */
export function addDetections(model: OnnxModel, { offsets, logits: scores }: Graph, spec: SsdSpec): void {
  const settings = spec.postProcess;
  const reported = spec.labels.flatMap((label, id) => (label === null ? [] : [id]));
  const many = Math.min(settings.maxDetections, boxCount(spec) * reported.length);
  const part = new OnnxPart("detections");
  decode(part, offsets, spec);
  const candidates = candidateScores(part, scores, reported, spec);
  suppress(part, candidates, reported.length, settings);
  best(part, reported, many);
  part.appendTo(model);
  model.graph!.output = [
    tensorInfo("boxes", FLOAT, [many, 4]),
    tensorInfo("scores", FLOAT, [many]),
    tensorInfo("classes", INT64, [many]),
    tensorInfo("counts", INT64, []),
  ];
}

/** `corners` [batch, boxes, 4], clipped to the picture (SSD paper, equation 2, backwards), and `sides` [batch, boxes, 1], the shorter of each. */
function decode(part: OnnxPart, offsets: string, spec: SsdSpec): void {
  const all = defaultBoxes(spec);
  const boxes = boxCount(spec);
  const columns = (from: number): number[] =>
    Array.from({ length: boxes * 2 }, (_, i) => all[(i >> 1) * 4 + from + (i & 1)]!);
  const halves = part.integers([2, 2], [2]);
  const [centres, sizes] = [part.floats(columns(0), [1, boxes, 2]), part.floats(columns(2), [1, boxes, 2])];
  const scaled = part.add("Mul", [offsets, part.floats(spec.variances, [4])], "offsets.scaled");
  part.addMany("Split", [scaled, halves], ["offsets.shift", "offsets.ratio"], [attribute("axis", -1)]);
  part.add("Mul", ["offsets.shift", sizes], "boxes.shift");
  part.add("Add", ["boxes.shift", centres], "boxes.centre");
  part.add("Min", ["offsets.ratio", part.floats([MAX_LOG_RATIO])], "boxes.ratio");
  part.add("Exp", ["boxes.ratio"], "boxes.growth");
  part.add("Mul", ["boxes.growth", sizes], "boxes.size");
  part.add("Mul", ["boxes.size", part.floats([0.5])], "boxes.half");
  part.add("Sub", ["boxes.centre", "boxes.half"], "boxes.first");
  part.add("Add", ["boxes.centre", "boxes.half"], "boxes.last");
  part.add("Concat", ["boxes.first", "boxes.last"], "boxes.unclipped", [attribute("axis", -1)]);
  part.add("Clip", ["boxes.unclipped", part.floats([0]), part.floats([1])], "corners");
  part.addMany("Split", ["corners", halves], ["corners.first", "corners.last"], [attribute("axis", -1)]);
  part.add("Sub", ["corners.last", "corners.first"], "corners.size");
  // No side is negative once both corners are clipped, so the shorter one says whether there is a box.
  part.add("ReduceMin", ["corners.size"], "sides", [attribute("axes", [-1])]);
}

/** [batch, boxes, reported classes]: 0 where a box lies off the picture, or beyond the best `topKPerClass` of its class. */
function candidateScores(part: OnnxPart, scores: string, reported: readonly number[], spec: SsdSpec): string {
  const { topKPerClass } = spec.postProcess;
  const zero = part.floats([0]);
  part.add("Gather", [scores, part.integers(reported, [reported.length])], "scores.reported", [attribute("axis", 2)]);
  if (topKPerClass === undefined) {
    part.add("Identity", ["scores.reported"], "scores.best");
  } else {
    part.add("Shape", ["scores.reported"], "scores.shape");
    part.add("ConstantOfShape", ["scores.shape"], "scores.none");
    // A class has no more boxes than there are.
    const limit = part.integers([Math.min(topKPerClass, boxCount(spec))], [1]);
    part.addMany("TopK", ["scores.reported", limit], ["scores.top", "scores.top.boxes"], [attribute("axis", 1)]);
    part.add("ScatterElements", ["scores.none", "scores.top.boxes", "scores.top"], "scores.best", [
      attribute("axis", 1),
    ]);
  }
  part.add("Greater", ["sides", zero], "sides.some");
  return part.add("Where", ["sides.some", "scores.best", zero], "candidates");
}

/** `kept` [batch, boxes, classes]: the scores of the candidates that NonMaxSuppression selects, 0 for the others. */
function suppress(part: OnnxPart, candidates: string, classes: number, settings: PostProcessSpec): void {
  const { minScore, iouThreshold, maxDetections, classAgnostic, cutFirst } = settings;
  let [boxes, scores] = [cutFirst ? "corners" : "boxes.unclipped", "candidates.transposed"];
  if (classAgnostic) {
    // One class, whose boxes are those of all classes.
    part.add("Unsqueeze", [boxes, part.integers([2], [1])], "corners.single");
    part.add("Expand", ["corners.single", part.integers([1, 1, classes, 1], [4])], "corners.each");
    boxes = part.add("Reshape", ["corners.each", part.integers([0, -1, 4], [3])], "corners.all");
    scores = part.add("Reshape", [candidates, part.integers([0, 1, -1], [3])], "candidates.all");
  } else {
    part.add("Transpose", [candidates], scores, [attribute("perm", [0, 2, 1])]);
  }
  const limits = [part.integers([maxDetections]), part.floats([iouThreshold]), part.floats([justBelow(minScore)])];
  // Rows of picture, class, box.
  part.add("NonMaxSuppression", [boxes, scores, ...limits], "selected");
  part.add("Reshape", [candidates, part.integers([0, -1], [2])], "candidates.flat");
  const column = (i: number): string =>
    part.add("Gather", ["selected", part.integers([i], [1])], `selected.${i}`, [attribute("axis", 1)]);
  const [picture, classOf, box] = [column(0), column(1), column(2)];
  part.add("Mul", [box, part.integers([classAgnostic ? 1 : classes])], "selected.row");
  part.add("Add", ["selected.row", classOf], "selected.key");
  part.add("Concat", [picture, "selected.key"], "selected.places", [attribute("axis", 1)]);
  part.add("GatherND", ["candidates.flat", "selected.places"], "selected.scores");
  part.add("Shape", ["candidates.flat"], "candidates.shape");
  part.add("ConstantOfShape", ["candidates.shape"], "candidates.none");
  part.add("ScatterND", ["candidates.none", "selected.places", "selected.scores"], "kept");
}

/** NonMaxSuppression wants more than its threshold, we at least ours. */
function justBelow(score: number): number {
  const bits = new Int32Array(Float32Array.of(score).buffer);
  return score > 0 ? new Float32Array(Int32Array.of(bits[0]! - 1).buffer)[0]! : -1;
}

/** The best of each picture over its classes; of equal scores the lower box, then the lower class, as TopK breaks ties. */
function best(part: OnnxPart, reported: readonly number[], many: number): void {
  const classes = part.integers([reported.length]);
  part.addMany("TopK", ["kept", part.integers([many], [1])], ["scores", "scores.indices"], [attribute("axis", 1)]);
  part.add("Greater", ["scores", part.floats([0])], "found");
  part.add("Cast", ["found"], "found.integers", [attribute("to", INT64)]);
  part.add("ReduceSum", ["found.integers", part.integers([1], [1])], "counts", [attribute("keepdims", 0)]);
  part.add("Mod", ["scores.indices", classes], "classes.reported");
  part.add("Gather", [part.integers(reported, [reported.length]), "classes.reported"], "classes.ids");
  part.add("Where", ["found", "classes.ids", part.integers([-1])], "classes");
  part.add("Div", ["scores.indices", classes], "boxes.indices");
  part.add("Unsqueeze", ["boxes.indices", part.integers([2], [1])], "boxes.places");
  part.add("Concat", ["corners.first", "corners.size"], "boxes.all", [attribute("axis", -1)]);
  part.add("GatherND", ["boxes.all", "boxes.places"], "boxes.best", [attribute("batch_dims", 1)]);
  part.add("Unsqueeze", ["found", part.integers([2], [1])], "found.each");
  part.add("Where", ["found.each", "boxes.best", part.floats([0])], "boxes");
}
