// A model as one ONNX file that needs nothing else: uint8 pictures in, raw heads or detections out, and the spec beside them.
import { MultiboxError } from "../../errors.ts";
import type { Bundle } from "../bundle.ts";
import { addDetections } from "../compile/onnx-nms.ts";
import { onnxModel } from "../compile/onnx.ts";
import { onnx, type OnnxModel } from "../compile/onnx-proto.ts";
import type { Graph } from "../graph.ts";
import { buildSsd } from "../networks/ssd.ts";
import type { Tensors } from "../weights/safetensors.ts";
import { exportMetadata } from "./metadata.ts";
import { trimKernels } from "./trim-kernels.ts";

/**
 * The file's bytes; docs/formats.md has its inputs, outputs and metadata. With `detections` the outputs are those of
 * `addDetections`; fails with EXPORT_UNSUPPORTED where ONNX has no operation for the spec's post-processing.
 */
export function exportOnnx(bundle: Bundle, { detections }: { readonly detections: boolean }): Uint8Array {
  const model = detections ? detectingModel(bundle) : trimmedModel(bundle.graph, bundle.weights);
  model.metadataProps = Object.entries(exportMetadata(bundle)).map(([key, value]) => ({ key, value }));
  model.docString = detections
    ? "SSD: uint8 RGB pictures in; boxes, scores, classes and their counts out."
    : "SSD: uint8 RGB pictures in; offsets of the default boxes and logits out.";
  return onnx.ModelProto.encode(model).finish();
}

function detectingModel({ spec, weights }: Bundle): OnnxModel {
  if (spec.postProcess.suppression === "soft") {
    throw new MultiboxError(
      "EXPORT_UNSUPPORTED",
      `${spec.name} suppresses boxes by Soft-NMS, for which ONNX has no operation.`,
      "Export it without --with-nms, or set postProcess.suppression to hard in its model.json.",
    );
  }
  const graph = buildSsd(spec, "scores");
  const model = trimmedModel(graph, weights);
  addDetections(model, graph, spec);
  return model;
}

function trimmedModel(graph: Graph, weights: Tensors): OnnxModel {
  const trimmed = trimKernels(graph, weights);
  return onnxModel(trimmed.graph, trimmed.weights);
}
