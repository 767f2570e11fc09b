// The boxes that may be reported, picked in the model itself: nearly all are background, and need not leave it.
import type { Floor } from "../engines/engine.ts";
import { type Graph, outputShapes } from "../graph.ts";
import { leastLogit } from "../post-process/candidates.ts";
import { OnnxPart } from "./onnx-part.ts";
import { attribute, onnx, type OnnxModel, tensorInfo } from "./onnx-proto.ts";

/** The outputs. `places` is int64 [kept, 2], picture and box, in rising order; the others are float32 [kept, 4] and [kept, classes]. */
export const KEPT = { places: "kept.places", offsets: "kept.offsets", logits: "kept.logits" } as const;

/** More than what single precision rounds a logit by: who reads what is kept decides. */
const MARGIN = 1e-3;

/**
 * Replaces the outputs of `onnxModel(graph, ...)` by those boxes whose logits, but for the first one, the background's, reach the floor. Whatever
 * `sigmoidCandidates` and `softmaxCandidates` find is among them.
 */
export function addSelection(model: OnnxModel, graph: Graph, { minScore, scores }: Floor): void {
  const [, , classes] = outputShapes(graph).logits;
  const part = new OnnxPart("kept");
  const columns = (from: number, to: number, output: string): string =>
    part.add(
      "Slice",
      [graph.logits, part.integers([from], [1]), part.integers([to], [1]), part.integers([2], [1])],
      output,
    );
  const last = [attribute("axes", [2]), attribute("keepdims", 0)];
  let greatest = part.add("ReduceMax", [columns(1, classes, "kept.classes")], "kept.greatest", last);
  if (scores === "softmax") {
    const background = part.add("ReduceMax", [columns(0, 1, "kept.background")], "kept.background.flat", last);
    greatest = part.add("Sub", [greatest, background], "kept.gap");
  }
  const floor = part.floats([leastLogit(scores, minScore) - MARGIN]);
  part.add("GreaterOrEqual", [greatest, floor], "kept.some");
  part.add("NonZero", ["kept.some"], "kept.indices");
  part.add("Transpose", ["kept.indices"], KEPT.places, [attribute("perm", [1, 0])]);
  part.add("GatherND", [graph.offsets, KEPT.places], KEPT.offsets);
  part.add("GatherND", [graph.logits, KEPT.places], KEPT.logits);
  part.appendTo(model);
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  model.graph!.output = [
    tensorInfo(KEPT.places, INT64, [2]),
    tensorInfo(KEPT.offsets, FLOAT, [4]),
    tensorInfo(KEPT.logits, FLOAT, [classes]),
  ];
}
