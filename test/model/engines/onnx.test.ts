// onnxruntime-node on the CPU.
import { openOnnxCpu } from "../../../src/model/engines/onnx.ts";
import { describeEngine } from "./contract.ts";

describeEngine({ name: "onnx:cpu", open: openOnnxCpu, tolerance: 1e-4 });
